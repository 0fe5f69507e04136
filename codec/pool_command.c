/*  pool_command.c - a job's command line, as far as we read it ourselves */

#include "codec/pool_command.h"

#include <stdbool.h>
#include <string.h>

#include "codec/pool_wire.h"

#define BLANKS " \t"
#define SPECIAL "\n|&;<>()$`\\\"'*?[]#~!{}^"     /*  mean something to a shell, wherever they stand */

/*  Words that a shell takes for itself when they come first. True and false are not
 *  here: the programs of that name do the same. */
static const char *const shell_words[] = {
    ".", ":", "alias", "bg", "break", "builtin", "case", "cd", "chdir", "command", "continue", "declare", "do", "done",
    "echo", "elif", "else", "enable", "esac", "eval", "exec", "exit", "export", "fc", "fg", "fi", "for", "function",
    "getopts", "hash", "history", "if", "jobs", "kill", "let", "local", "printf", "pwd", "read", "readonly", "return",
    "select", "set", "shift", "shopt", "source", "suspend", "test", "then", "time", "times", "trap", "type", "typeset",
    "ulimit", "umask", "unalias", "unset", "until", "wait", "while", NULL
};

static bool
is_shell_word (const char *word, size_t size)
{
    for (size_t i = 0; shell_words[i]; i++)
        if (strlen (shell_words[i]) == size && memcmp (shell_words[i], word, size) == 0)
            return true;
    return false;
}

size_t
command_words (const char *command)
{
    if (command[strcspn (command, SPECIAL)])
        return 0;
    const char *at = command + strspn (command, BLANKS);
    size_t size = strcspn (at, BLANKS);
    if (memchr (at, '=', size) || memchr (at, '%', size) || is_shell_word (at, size))
        return 0;
    size_t words = 0;
    while (*at) {
        words++;
        at += strcspn (at, BLANKS);
        at += strspn (at, BLANKS);
    }
    return words;
}

void
command_split (char *command, char **words)
{
    for (char *at = command + strspn (command, BLANKS); *at; ) {
        *words++ = at;
        at += strcspn (at, BLANKS);
        if (*at)
            *at++ = 0;
        at += strspn (at, BLANKS);
    }
    *words = NULL;
}

int
command_fill (struct buffer *out, const char *text, size_t size, const char *mark, size_t mark_size, int number)
{
    const char *end = text + size;
    const char *found;
    int rc = 0;
    while (rc == 0 && mark_size && (found = memmem (text, (size_t) (end - text), mark, mark_size))) {
        rc = buffer_add (out, text, (size_t) (found - text));
        rc = rc ? rc : buffer_addf (out, "%d", number);
        text = found + mark_size;
    }
    rc = rc ? rc : buffer_add (out, text, (size_t) (end - text));
    return rc ? rc : buffer_add (out, "", 1);
}

/*  Bytes of the character at the front when it is printable and whole, else 0. */
static size_t
printable (const unsigned char *text, size_t size)
{
    size_t more = *text >= 0xc2 && *text < 0xe0 ? 1 : *text >= 0xe0 && *text < 0xf0 ? 2
                  : *text >= 0xf0 && *text < 0xf5 ? 3 : 0;
    if (*text < 0x80)
        return *text >= 0x20 && *text != 0x7f && *text != '\\';
    if (!more || size <= more)
        return 0;
    for (size_t i = 1; i <= more; i++)
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    /*  Control characters, forms that are too long, surrogates, beyond the last. */
    if ((*text == 0xc2 && text[1] < 0xa0) || (*text == 0xe0 && text[1] < 0xa0) || (*text == 0xed && text[1] > 0x9f)
        || (*text == 0xf0 && text[1] < 0x90) || (*text == 0xf4 && text[1] > 0x8f))
        return 0;
    return more + 1;
}

static int
show_escaped (struct buffer *out, unsigned char byte)
{
    static const char bytes[] = "\n\t\r\\", letters[] = "ntr\\";
    static const char digits[] = "0123456789abcdef";
    const char *found = byte ? strchr (bytes, byte) : NULL;
    char text[] = { '\\', found ? letters[found - bytes] : 'x', digits[byte >> 4], digits[byte & 15] };
    return buffer_add (out, text, found ? 2 : 4);
}

int
command_show (struct buffer *out, const void *message, size_t size)
{
    const unsigned char *at = message;
    size_t shown = buffer_size (out);
    int rc = 0;
    while (rc == 0 && size) {
        if (buffer_size (out) - shown > COMMAND_SHOWN - 8)
            return buffer_add_str (out, "...");
        size_t part = printable (at, size);
        rc = part ? buffer_add (out, at, part) : show_escaped (out, *at);
        part = part ? part : 1;
        at += part;
        size -= part;
    }
    return rc;
}

int
command_render (struct buffer *out, const void *bytes, size_t size)
{
    struct pool_spec spec;
    struct pool_reader arguments;
    struct pool_bytes argument;
    int rc = pool_get_spec (&spec, (struct pool_bytes) { bytes, size }, &arguments);
    if (rc == 0 && spec.message)
        rc = command_show (out, spec.input.data, spec.input.size);
    else if (rc == 0 && !spec.argc)
        rc = buffer_add (out, spec.command.data, spec.command.size);
    for (size_t i = 0; rc == 0 && i < spec.argc; i++) {
        rc = pool_next_argument (&arguments, &argument);
        if (rc == 1)
            rc = i ? buffer_add (out, " ", 1) : 0;
        rc = rc ? rc : buffer_add (out, argument.data, argument.size);
    }
    return rc ? rc : buffer_add (out, "", 1);
}
