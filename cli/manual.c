/*  manual.c - man pages in mdoc, made from the entries of the commands */

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "cli/help.h"

enum { MANUAL_WIDTH = 74 };     /*  and some for what is escaped */

/*  A character of text: roff takes a dash for a hyphen unless it is told. */
static void
manual_character (FILE *out, const char *text, bool first)
{
    if (*text == '\\')
        fputs ("\\e", out);
    else if (*text == '-' && (first || !isalnum ((unsigned char) text[-1])))
        fputs ("\\-", out);
    else
        fputc (*text, out);
}

/*  A line as it is, and no request to roff whatever it begins with. */
static void
manual_literal (FILE *out, const char *text)
{
    if (text[0] == '.' || text[0] == '\'')
        fputs ("\\&", out);
    for (const char *next = text; *next; next++)
        manual_character (out, next, next == text);
    fputc ('\n', out);
}

/*  Words, folded. */
static void
manual_line (FILE *out, const char *text, size_t size)
{
    const char *end = text + size;
    size_t column = 0;
    while (text < end) {
        size_t word = strcspn (text, " \n");
        if (word > (size_t) (end - text))
            word = (size_t) (end - text);
        if (column > 0 && column + 1 + word > MANUAL_WIDTH) {
            fputc ('\n', out);
            column = 0;
        } else if (column > 0) {
            fputc (' ', out);
            column++;
        }
        if (column == 0 && (text[0] == '.' || text[0] == '\''))
            fputs ("\\&", out);
        for (size_t i = 0; i < word; i++)
            manual_character (out, text + i, i == 0);
        column += word;
        text += word;
        if (text < end)
            text++;
    }
    fputc ('\n', out);
}

/*  Paragraphs parted by an empty line; a new sentence on a new line, as roff likes it. */
void
manual_text (FILE *out, const char *text)
{
    while (*text) {
        size_t size = 0;
        while (text[size] && strncmp (text + size, "\n\n", 2) != 0 &&
               !(text[size] == '.' && text[size + 1] == ' ' && isupper ((unsigned char) text[size + 2])))
            size++;
        bool sentence = text[size] == '.';
        manual_line (out, text, size + sentence);
        text += size + sentence;
        if (strncmp (text, "\n\n", 2) == 0) {
            fputs (".Pp\n", out);
            text += 2;
        } else if (*text == ' ')
            text++;
    }
}

void
manual_head (FILE *out, int section, const char *name, const char *summary)
{
    char upper[64];
    size_t i = 0;
    for (; i < sizeof upper - 1 && name[i]; i++)
        upper[i] = (char) toupper ((unsigned char) name[i]);
    upper[i] = '\0';
    fprintf (out, ".Dd $Mdocdate$\n.Dt %s %d\n.Os weft %s\n.Sh NAME\n.Nm %s\n.Nd %s\n", upper, section, WEFT_VERSION,
             name, summary);
}

static void
manual_option (const struct option *option, FILE *out)
{
    char range[128] = "";
    option_range (option, range, sizeof range);
    fputs (".It ", out);
    if (option->letter)
        fprintf (out, "Fl %c , ", option->letter);
    fprintf (out, "Fl \\-%s", option->name);
    if (option->argument)
        fprintf (out, " Ar \"%s\"", option->argument);
    fputc ('\n', out);
    char text[1024];
    bool flag = option->type == OPTION_FLAG;
    const char *standard = flag ? NULL : option->standard;
    const char *within = flag || strcmp (range, "0 and up") == 0 ? "" : range;
    snprintf (text, sizeof text, "%s%s%s%s%s.", option->text, standard ? "; default " : "", standard ? standard : "",
              *within ? "; " : "", within);
    text[0] = (char) toupper ((unsigned char) text[0]);
    manual_text (out, text);
}

static void
manual_table (const char *title, const struct option *table, FILE *out)
{
    if (!table->name)
        return;
    fprintf (out, ".Ss %s\n.Bl -tag -width Ds\n", title);
    for (; table->name; table++)
        if (!(table->flags & OPTION_HIDDEN))
            manual_option (table, out);
    fputs (".El\n", out);
}

static void
manual_common_status (FILE *out)
{
    fputs (".Bl -tag -width Ds -compact\n"
           ".It 0\nall is well\n.It 1\nan error, told on standard error\n.It 2\nwrong usage\n"
           ".It 3\na timeout passed\n.It 4\nno peer came\n.It 5\nnot authorised\n"
           ".It 6\nmessages were lost\n.El\n",
           out);
}

static void
manual_status (const struct command *command, FILE *out)
{
    fputs (".Sh EXIT STATUS\n", out);
    if (!command->status_alone)
        manual_common_status (out);
    if (command->status && !command->status_alone)
        fputs (".Pp\n", out);
    if (command->status)
        manual_text (out, command->status);
}

static void
manual_examples (const struct command_example *examples, FILE *out)
{
    if (!examples)
        return;
    fputs (".Sh EXAMPLES\n", out);
    for (const struct command_example *each = examples; each->line; each++) {
        if (each != examples)
            fputs (".Pp\n", out);
        manual_text (out, each->text);
        fputs (".Bd -literal -offset indent\n", out);
        manual_literal (out, each->line);
        fputs (".Ed\n", out);
    }
}

static int
manual_by_name (const void *a, const void *b)
{
    const struct command *const *left = a, *const *right = b;
    return strcmp ((*left)->name, (*right)->name);
}

/*  The commands of a group as references, by name; all of them when `group` is NULL. */
static void
manual_references (const char *group, const struct command *but, FILE *out)
{
    const struct command *chosen[COMMANDS_MAX];
    size_t count = 0;
    for (const struct command *const *each = commands; *each && count < COMMANDS_MAX; each++)
        if (*each != but && (!group || strcmp ((*each)->group, group) == 0))
            chosen[count++] = *each;
    qsort (chosen, count, sizeof chosen[0], manual_by_name);
    for (size_t i = 0; i < count; i++)
        fprintf (out, ".Xr weft-%s 1 ,\n", chosen[i]->name);
}

void
manual_command (const struct command *command, FILE *out)
{
    char name[64];
    snprintf (name, sizeof name, "weft-%s", command->name);
    manual_head (out, 1, name, command->summary);
    fprintf (out, ".Sh SYNOPSIS\n.Nm weft %s\n", command->name);
    manual_line (out, command->usage, strlen (command->usage));
    fputs (".Sh DESCRIPTION\n", out);
    manual_text (out, command->description);
    if (command->guarantee) {
        fputs (".Ss Guarantee\n", out);
        manual_text (out, command->guarantee);
    }
    fputs (".Sh OPTIONS\n", out);
    struct option_group groups[COMMAND_TABLES_MAX + 2];
    command_groups (command, groups);
    for (const struct option_group *each = groups; each->table; each++)
        manual_table (each->title, each->table, out);
    manual_status (command, out);
    manual_examples (command->examples, out);
    fputs (".Sh SEE ALSO\n.Xr weft 1 ,\n", out);
    manual_references (command->group, command, out);
    fputs (".Xr weft-metrics 7 ,\n.Xr weft-options 7 ,\n.Xr weft-security 7\n", out);
}

/* ---------------------------------------------------------------- overview */

static const char overview_text[] =
    "weft joins processes and machines by messages, without a broker between them. Each command does one thing "
    "from a shell: it reads messages from standard input, or writes them to standard output, and speaks ZMTP with any "
    "ZeroMQ program at the other end.\n\n"
    "What is read and written is data alone; everything else goes to standard error.";

static const char overview_endpoints[] =
    "An endpoint says where peers meet: one side binds to it, any number of others connect. tcp://HOST:PORT, "
    "tcp://[IPv6]:PORT, ipc://PATH and, within one process, inproc://NAME. To bind, the port 0 takes any free one, "
    "and the host * all of the machine's addresses. A command that binds says the address it got on standard error.\n\n"
    "rep, pub and pull bind and the others connect; @ in front of an endpoint binds, > connects, and a comma parts "
    "several. Since a shell takes > for its own, -b ENDPOINT and -c ENDPOINT say the same.";

static const char overview_formats[] =
    "--lines, the default, is a message a line. --nul ends messages with a NUL, --raw takes all of the input for one "
    "message and adds nothing to the output, --len32 puts the length in front (4 bytes, big-endian; the top bit "
    "says that more frames follow), --hex is two digits a byte, --json is an object a line. Each holds for both "
    "directions; --input and --output choose for one. --format takes a template as printf does: %s the message, %t its "
    "topic, %b its last frame, %1 to %9 that frame, %f the number of frames, %z the size in bytes, %n the number of "
    "the message, %T and %u the time, %x hex, %j json, %% a percent sign. Of what came by a bridge, %p is the peer and "
    "%a the adapter; %m is %s.\n\n"
    "A message may have several frames. In lines and nul, --separator TEXT parts them; without it, the input has "
    "one frame a message, and frames are put out with a tab between.";

static const char overview_signals[] =
    "SIGINT and SIGTERM end a command in order: it takes no more, delivers for at most --linger what it has taken, "
    "and says what is left. Its exit status is 0 when nothing was, else 6. A second one ends it at once.";

void
manual_overview (FILE *out)
{
    manual_head (out, 1, "weft", "messages between processes and machines, without a broker");
    fputs (".Sh SYNOPSIS\n.Nm weft\n.Ar COMMAND\n.Op Ar OPTIONS\n.Op Ar ENDPOINT ...\n.Sh DESCRIPTION\n", out);
    manual_text (out, overview_text);
    const char *group = NULL;
    for (const struct command *const *each = commands; *each; each++) {
        if (!group || strcmp (group, (*each)->group) != 0)
            fprintf (out, "%s.Ss %s\n.Bl -tag -width ventilator\n", group ? ".El\n" : "", (*each)->group);
        group = (*each)->group;
        fprintf (out, ".It Xr weft-%s 1\n", (*each)->name);
        manual_line (out, (*each)->summary, strlen ((*each)->summary));
    }
    fputs (".El\n.Sh ENDPOINTS\n", out);
    manual_text (out, overview_endpoints);
    fputs (".Sh FORMATS\n", out);
    manual_text (out, overview_formats);
    fputs (".Sh SIGNALS\n", out);
    manual_text (out, overview_signals);
    fputs (".Sh EXIT STATUS\n", out);
    manual_common_status (out);
    fputs (".Pp\n", out);
    manual_text (out, "weft run and weft ventilator return the number of jobs that failed, 101 for more than 100, and "
                      "255 for any other error.");
    fputs (".Sh SEE ALSO\n", out);
    manual_references (NULL, NULL, out);
    fputs (".Xr weft 7 ,\n.Xr weft-metrics 7 ,\n.Xr weft-options 7 ,\n.Xr weft-security 7\n", out);
}

/* ----------------------------------------------------------------- options */

static const char options_text[] =
    "An option has one name and one way to write its value everywhere: --linger 500ms on a command line is "
    "weft_set (socket, \"linger\", \"500ms\") in C.\n\n"
    "A time is a number with us, ms, s, m or h (a bare number is seconds), or forever where that is allowed. A size is "
    "in bytes, or with K, M or G in powers of 1024; a number may end in k or M, powers of 1000. A flag alone means "
    "yes, and --no-NAME is its opposite.";

static bool
manual_has_table (const struct command *command, const struct option *table)
{
    for (const struct command_table *each = command->tables; each && each->title; each++)
        if (command_table_options (each) == table)
            return true;
    return false;
}

/*  Is there a command before this one that has the table? Then it was told already. */
static bool
manual_told (const struct command *const *command, const struct option *table)
{
    for (const struct command *const *each = commands; each != command; each++)
        if (manual_has_table (*each, table))
            return true;
    return false;
}

static void
manual_takers (const struct option *table, FILE *out)
{
    fputs ("Taken by\n", out);
    const char *between = "";
    for (const struct command *const *each = commands; *each; each++)
        if (manual_has_table (*each, table)) {
            fprintf (out, "%s.Xr weft-%s 1", between, (*each)->name);
            between = " ,\n";
        }
    fputs (" .\n", out);
}

void
manual_options (FILE *out)
{
    manual_head (out, 7, "weft-options", "the options of weft, one vocabulary for all");
    fputs (".Sh DESCRIPTION\n", out);
    manual_text (out, options_text);
    manual_table ("Common options", common_options, out);
    for (const struct command *const *command = commands; *command; command++)
        for (const struct command_table *each = (*command)->tables; each && each->title; each++) {
            const struct option *table = command_table_options (each);
            if (!table->name || manual_told (command, table))
                continue;
            manual_table (each->title, table, out);
            manual_takers (table, out);
        }
    fputs (".Sh SEE ALSO\n.Xr weft 1\n", out);
}
