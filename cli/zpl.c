/*  zpl.c - files of sections and keys: ZPL (ZeroMQ RFC 4), with the line of everything */

#include "cli/zpl.h"

#include <czmq.h>

#include "core/buffer.h"
#include "core/error.h"

#define INDENT 4
#define MISTAKES_MAX 50         /*  told of one file    */

struct scanner {
    struct zpl *zpl;
    struct buffer plain;        /*  the text without comments on lines of their own: zconfig refuses some   */
    zpl_wrong_fn *wrong;
    void *arg;
    int line;
    size_t mistakes;
};

/* ---------------------------------------------------------------- scanning */

/*  Always false, for the caller to return. */
WEFT_PRINTF (2, 3) static bool
refuse (struct scanner *self, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start (args, format);
    vsnprintf (text, sizeof text, format, args);
    va_end (args);
    if (++self->mistakes <= MISTAKES_MAX)
        self->wrong (self->arg, self->line, text);
    return false;
}

static bool
is_blank (char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/*  RFC 4: letters and digits of ASCII, and these. */
static bool
is_name (char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr ("$-_@.&+/", c));
}

static const char *
skip_blanks (const char *text)
{
    while (is_blank (*text))
        text++;
    return text;
}

/*  Nothing but a comment. */
static bool
is_over (const char *text)
{
    text = skip_blanks (text);
    return !*text || *text == '#';
}

static bool
check_bytes (struct scanner *self, const char *text, size_t size)
{
    if (size > ZPL_LINE_MAX)
        return refuse (self, "a line has at most %d bytes, and this one %zu", ZPL_LINE_MAX, size);
    for (size_t i = 0; i < size; i++)
        if (((unsigned char) text[i] < ' ' && !is_blank (text[i])) || text[i] == 127)
            return refuse (self, "a byte that is no text (0x%02x): is this a file of weft up?",
                           (unsigned char) text[i]);
    return true;
}

/*  The level of a line, -1 when it is none. */
static int
scan_level (struct scanner *self, const char **text)
{
    const struct zpl *zpl = self->zpl;
    size_t spaces = strspn (*text, " ");
    int deepest = zpl->count ? zpl->items[zpl->count - 1].level + 1 : 0;
    *text += spaces;
    if (**text == '\t')
        refuse (self, "a tab in front: lines are moved in by %d spaces", INDENT);
    else if (spaces % INDENT)
        refuse (self, "%zu space%s in front: lines are moved in by %d, as below a section", spaces,
                spaces == 1 ? "" : "s", INDENT);
    else if ((int) (spaces / INDENT) > deepest)
        refuse (self, "moved in too far: there is nothing above that it could belong to");
    else
        return (int) (spaces / INDENT);
    return -1;
}

static bool
check_quoted (struct scanner *self, const char *text)
{
    const char *end = strchr (text + 1, *text);
    if (!end)
        return refuse (self, "the value begins with %c, and does not end with one", *text);
    if (!is_over (end + 1))
        return refuse (self, "something follows the value in quotes: %.40s", skip_blanks (end + 1));
    return true;
}

static bool
check_value (struct scanner *self, const char *text)
{
    if (*text == '"' || *text == '\'')
        return check_quoted (self, text);
    if (*text == '#')
        return refuse (self, "no value between = and #: put one that begins with # in quotes");
    const char *comment = strchr (text, '#');
    if (comment && comment > text && !is_blank (comment[-1]))
        return refuse (self, "# begins a comment, also within a word: put the value in quotes");
    return true;
}

static bool
check_name (struct scanner *self, const char *name, size_t length)
{
    if (*name == '[')
        return refuse (self, "%.40s: the name of a part stands alone, without brackets", name);
    if (length == 0)
        return refuse (self, "a name was expected here, not %.40s", name);
    if (name[0] == '/' || name[length - 1] == '/')
        return refuse (self, "a name neither begins nor ends with /");
    return true;
}

static bool
add_item (struct scanner *self, int level, bool assigned)
{
    struct zpl *zpl = self->zpl;
    if (zpl->count == ZPL_ITEMS_MAX) {
        refuse (self, "more than %d lines", ZPL_ITEMS_MAX);
        self->mistakes = MISTAKES_MAX;
        return false;
    }
    zpl->items[zpl->count++] = (struct zpl_item){ .line = self->line, .level = level, .assigned = assigned };
    return true;
}

/*  `text` ends with a NUL, and has no newline. */
static bool
scan_line (struct scanner *self, const char *text)
{
    if (is_over (text))
        return true;
    if (buffer_add_str (&self->plain, text))
        return refuse (self, "not enough memory");
    int level = scan_level (self, &text);
    if (level < 0)
        return false;
    size_t length = 0;
    while (is_name (text[length]))
        length++;
    if (!check_name (self, text, length))
        return false;
    const char *rest = skip_blanks (text + length);
    if (*rest == '=' ? !check_value (self, skip_blanks (rest + 1)) : !is_over (rest))
        return *rest == '=' ? false
                            : refuse (self, "'%.40s' is followed by something else than =: write key = value, and the "
                                      "name of a part alone", text);
    return add_item (self, level, *rest == '=');
}

/*  Whether nothing is wrong. */
static bool
scan (struct scanner *self, const char *text, size_t size)
{
    char line[ZPL_LINE_MAX + 1];
    if (size > ZPL_SIZE_MAX)
        return refuse (self, "the file has more than %zu bytes", ZPL_SIZE_MAX);
    for (const char *end = text + size; text < end && self->mistakes < MISTAKES_MAX;) {
        const char *newline = memchr (text, '\n', (size_t) (end - text));
        size_t length = (size_t) ((newline ? newline : end) - text);
        self->line++;
        if (check_bytes (self, text, length)) {
            memcpy (line, text, length);
            line[length] = '\0';
            scan_line (self, line);
        }
        if (buffer_add (&self->plain, "\n", 1))
            return refuse (self, "not enough memory");
        text += length + 1;
    }
    return self->mistakes == 0;
}

/* ----------------------------------------------------------------- reading */

/*  Names and values by zconfig, whose tree has the items in the order of the file. */
static int
take (struct zpl *self, zconfig_t *first, int level, size_t *next)
{
    int rc = 0;
    for (zconfig_t *each = first; each && rc == 0; each = zconfig_next (each)) {
        struct zpl_item *item = &self->items[(*next)++];
        if (*next > self->count || item->level != level)
            return error_set (WEFT_EPROTO, "the file cannot be read");
        item->name = strdup (zconfig_name (each));
        item->value = strdup (zconfig_value (each) ? zconfig_value (each) : "");
        if (!item->name || !item->value)
            return error_plain (WEFT_ENOMEM);
        rc = take (self, zconfig_child (each), level + 1, next);
    }
    return rc;
}

static int
read_items (struct zpl *self, struct buffer *text)
{
    int rc = buffer_terminate (text);
    zconfig_t *root = rc ? NULL : zconfig_str_load (buffer_data (text));
    size_t next = 0;
    rc = rc ? rc : root ? take (self, zconfig_child (root), 0, &next) : error_set (WEFT_EPROTO, "it cannot be read");
    if (rc == 0 && next != self->count)
        rc = error_set (WEFT_EPROTO, "the file cannot be read");
    zconfig_destroy (&root);
    return rc;
}

int
zpl_parse (struct zpl *self, const char *text, size_t size, zpl_wrong_fn *wrong, void *arg)
{
    struct scanner scanner = { .zpl = self, .wrong = wrong, .arg = arg };
    *self = (struct zpl){ .items = calloc (ZPL_ITEMS_MAX, sizeof *self->items) };
    if (!self->items)
        return error_plain (WEFT_ENOMEM);
    buffer_init (&scanner.plain, 0);
    int rc = scan (&scanner, text, size) ? 0 : WEFT_EPROTO;
    if (rc == 0) {
        rc = read_items (self, &scanner.plain);
        if (rc == WEFT_EPROTO)
            wrong (arg, 0, weft_error ());
    }
    if (rc)
        zpl_free (self);
    buffer_free (&scanner.plain);
    return rc;
}

void
zpl_free (struct zpl *self)
{
    for (size_t i = 0; i < self->count; i++) {
        free (self->items[i].name);
        free (self->items[i].value);
    }
    free (self->items);
    *self = (struct zpl){ .items = NULL };
}
