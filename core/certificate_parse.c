/*  certificate_parse.c - a certificate's text (ZPL, RFC 4), taken strictly
 *
 *  A line of the file never appears in an error: it may hold the secret. */

#include <string.h>

#include "core/certificate.h"
#include "core/error.h"

enum section {
    SECTION_NONE, /*  none has begun                  */
    SECTION_METADATA,
    SECTION_CURVE
};

struct parser {
    struct certificate *certificate;
    const char *path;
    int line;
    enum section section;
    bool metadata, curve; /*  have been                       */
};

/*  One line, taken apart: `value` NULL without a =. */
struct line {
    size_t indent;
    const char *name, *value;
    size_t name_size, value_size;
};

static int
bad (const struct parser *self, const char *why)
{
    return error_set (WEFT_EPROTO, "%s:%d: %s", self->path, self->line, why);
}

static bool
is_blank (char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static const char *
skip_blanks (const char *at, const char *end)
{
    while (at < end && is_blank (*at))
        at++;
    return at;
}

static bool
is_name_byte (char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr ("$-_@.&+/", c));
}

/*  What follows the =, in quotes of either kind or bare. */
static int
take_value (const struct parser *self, const char *at, const char *end, struct line *line)
{
    at = skip_blanks (at, end);
    const char *rest;
    if (at < end && (*at == '"' || *at == '\'')) {
        const char *close = memchr (at + 1, *at, (size_t) (end - at - 1));
        if (!close)
            return bad (self, "a quote is not closed");
        line->value = at + 1;
        line->value_size = (size_t) (close - at - 1);
        rest = skip_blanks (close + 1, end);
    } else {
        line->value = at;
        while (at < end && !is_blank (*at))
            at++;
        line->value_size = (size_t) (at - line->value);
        rest = skip_blanks (at, end);
    }
    return rest < end && *rest != '#' ? bad (self, "something follows the value; put the value in quotes") : 0;
}

/*  1 for a line that has something, 0 for a blank one or a comment. */
static int
take_line (const struct parser *self, const char *at, const char *end, struct line *line)
{
    const char *begin = at;
    while (at < end && *at == ' ')
        at++;
    line->indent = (size_t) (at - begin);
    at = skip_blanks (at, end);
    if (at == end || *at == '#')
        return 0;
    if (line->indent % 4 || (size_t) (at - begin) != line->indent)
        return bad (self, "indentation is four spaces for each level");
    line->name = at;
    while (at < end && is_name_byte (*at))
        at++;
    line->name_size = (size_t) (at - line->name);
    at = skip_blanks (at, end);
    if (line->name_size == 0)
        return bad (self, "expected a name, as in: name = \"value\"");
    if (at < end && *at == '=') {
        int rc = take_value (self, at + 1, end, line);
        return rc ? rc : 1;
    }
    return at < end && *at != '#' ? bad (self, "expected a = after the name") : 1;
}

static bool
is_called (const struct line *line, const char *name)
{
    return line->name_size == strlen (name) && memcmp (line->name, name, line->name_size) == 0;
}

static int
begin_section (struct parser *self, const struct line *line)
{
    bool *been = is_called (line, "metadata") ? &self->metadata : is_called (line, "curve") ? &self->curve : NULL;
    if (!been)
        return bad (self, "a certificate has the sections metadata and curve, and no other");
    if (line->value)
        return bad (self, "a section has no value");
    if (*been)
        return bad (self, "that section has been already");
    *been = true;
    self->section = been == &self->curve ? SECTION_CURVE : SECTION_METADATA;
    return 0;
}

static int
take_key (struct parser *self, const struct line *line)
{
    bool secret = is_called (line, "secret-key");
    char *key = secret ? self->certificate->secret_key : self->certificate->public_key;
    if (!secret && !is_called (line, "public-key"))
        return bad (self, "below curve there are public-key and secret-key, and no other");
    if (*key)
        return bad (self, secret ? "a second secret-key" : "a second public-key");
    if (line->value && line->value_size == KEY_TEXT - 1)
        memcpy (key, line->value, KEY_TEXT - 1);
    if (line->value && line->value_size == KEY_TEXT - 1 && key_is_text (key))
        return 0;
    return bad (self,
                secret ? "the secret-key is not 40 characters of Z85" : "the public-key is not 40 characters of Z85");
}

static int
take_entry (struct parser *self, const struct line *line)
{
    if (line->indent == 0)
        return begin_section (self, line);
    if (self->section == SECTION_NONE)
        return bad (self, "expected a section, metadata or curve, at the margin");
    if (self->section == SECTION_CURVE)
        return line->indent == 4 ? take_key (self, line) : bad (self, "indented too far");
    char name[KEY_NAME_MAX + 1] = "";
    if (line->indent == 4 && is_called (line, "name") && line->value && line->value_size <= KEY_NAME_MAX)
        memcpy (name, line->value, line->value_size);
    /*  CZMQ's names may be anything; one that we could not write is none. */
    if (key_is_name (name))
        memcpy (self->certificate->name, name, sizeof name);
    return 0;
}

static int
check_whole (const struct parser *self)
{
    const struct certificate *certificate = self->certificate;
    char public_key[KEY_TEXT];
    if (!certificate->public_key[0])
        return error_set (WEFT_EPROTO, "%s:%d: it ends without a public-key below curve", self->path, self->line);
    if (!certificate->secret_key[0])
        return 0;
    int rc = curve_public (public_key, certificate->secret_key);
    if (rc == 0 && strcmp (public_key, certificate->public_key) != 0)
        return error_set (WEFT_EPROTO, "%s:%d: the secret-key does not belong to the public-key", self->path,
                          self->line);
    return rc;
}

int
certificate_parse (struct certificate *self, const char *text, size_t size, const char *path)
{
    struct parser parser = { .certificate = self, .path = path };
    const char *at = text, *end = text + size;
    int rc = 0;
    memset (self, 0, sizeof *self);
    while (at < end && rc == 0) {
        const char *newline = memchr (at, '\n', (size_t) (end - at)), *stop = newline ? newline : end;
        struct line line = { 0 };
        parser.line++;
        rc = memchr (at, '\0', (size_t) (stop - at)) ? bad (&parser, "a zero byte: not a text file") : 0;
        rc = rc ? rc : take_line (&parser, at, stop, &line);
        rc = rc > 0 ? take_entry (&parser, &line) : rc;
        at = newline ? newline + 1 : end;
    }
    rc = rc ? rc : check_whole (&parser);
    if (rc)
        certificate_forget (self);
    return rc;
}
