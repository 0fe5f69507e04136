#  declarations.awk - man pages of the library, from the comments of weft.h
#
#  awk -f declarations.awk include/weft.h docs/man/PAGE.3.in
#
#  Copies the page, and puts in place of its two requests
#      .@SYNOPSIS SECTION       the prototypes of that section of the header
#      .@DESCRIPTION SECTION    its types, and what its comments say of each function
#  With -v list=1 writes the names of the page's functions instead.
#
#  A section begins with a line /* ---- SECTION */; in it an empty line parts the blocks, each a
#  comment and the declarations that it is about.

#  As text that holds no request to roff: names stand out, sentences begin their line.
function roff(line,    out) {
    gsub(/\\/, "\\e", line)
    gsub(/weft_[a-z_]*[a-z]|WEFT_[A-Z_]*[A-Z]/, "\\fB&\\fR", line)
    while (match(line, /`[a-z_]+`/))
        line = substr(line, 1, RSTART - 1) "\\fI" substr(line, RSTART + 1, RLENGTH - 2) "\\fR" \
            substr(line, RSTART + RLENGTH)
    while (match(line, /[A-Za-z0-9)"*][.] +[A-Z]/)) {
        out = out substr(line, 1, RSTART + 1) "\n"
        line = substr(line, RSTART + RLENGTH - 1)
    }
    return out (line ~ /^[.']/ ? "\\&" : "") line "\n"
}

function end_block() {
    if (code)
        description[section] = description[section] ".Bd -literal\n" code ".Ed\n"
    if (functions && comment)
        notes = ".It " functions "\n" comment notes
    else if (comment)
        description[section] = description[section] ".Pp\n" comment
    if (notes)
        description[section] = description[section] ".Bl -tag -width Ds\n" notes ".El\n"
    comment = code = functions = notes = ""
}

#  Adds "int weft_x (A *a, B b)"; a function with a note of its own is told apart.
function add_function(line, noted,    open, name, arguments, count, i, list) {
    open = index(line, " (")
    match(substr(line, 1, open - 1), /weft_[a-z_]*$/)
    name = substr(line, RSTART, RLENGTH)
    arguments = substr(line, open + 2)
    sub(/\).*/, "", arguments)
    synopsis[section] = synopsis[section] ".Ft \"" substr(line, 1, RSTART - 1) "\"\n.Fo " name "\n"
    sub(/ "\n.Fo/, "\"\n.Fo", synopsis[section])
    count = split(arguments, list, /, /)
    for (i = 1; i <= count; i++)
        synopsis[section] = synopsis[section] ".Fa \"" list[i] "\"\n"
    synopsis[section] = synopsis[section] ".Fc\n"
    names[section] = names[section] name "\n"
    if (noted)
        notes = notes ".It Fn " name "\n"
    else
        functions = functions (functions ? " , " : "") "Fn " name
}

FNR == 1 {
    file++
}

#  ---------------------------------------------------------------- the header

file == 1 && (/^\/\* -+ [a-z]+ \*\/$/ || /^#ifdef __cplusplus/) {
    end_block()
    section = /^#/ ? "" : $3
    next
}
file == 1 && !section {
    next
}
file == 1 && /^$/ {
    end_block()
    next
}
file == 1 && !code && (in_comment || /^\/\*  /) {
    in_comment = !/\*\/ *$/
    sub(/^\/\*  /, "")
    sub(/^ \* */, "")
    sub(/ *\*\/ *$/, "")
    comment = comment ($0 == "" ? ".Pp\n" : roff($0))
    next
}
file == 1 && in_note {
    in_note = !/\*\//
    sub(/^ *\* */, "")
    sub(/ *\*\/.*/, "")
    notes = notes roff($0)
    next
}
file == 1 && (declaration || /^WEFT_EXPORT /) {
    sub(/^WEFT_EXPORT |^ +/, "")
    declaration = declaration (declaration ? " " : "") $0
    if (!/;/)
        next
    noted = match(declaration, /; +\/\*  /)
    note = noted ? substr(declaration, RSTART + RLENGTH) : ""
    add_function(declaration, noted)
    if (noted) {
        in_note = !sub(/ *\*\/.*/, "", note)
        notes = notes roff(note)
    }
    declaration = ""
    next
}
file == 1 {
    gsub(/\\/, "\\e")
    code = code (/^[.']/ ? "\\&" : "") $0 "\n"
    next
}

#  ------------------------------------------------------------------ the page

list {
    if (/^\.@SYNOPSIS /)
        printf "%s", names[$2]
    next
}
/^\.@SYNOPSIS / {
    printf "%s", synopsis[$2]
    next
}
/^\.@DESCRIPTION / {
    printf "%s", description[$2]
    next
}
{
    print
}
