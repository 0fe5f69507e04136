/*  formats.c - the options that choose message formats */

#include "cli/formats.h"

#include <stdlib.h>
#include <string.h>

#include "codec/format.h"
#include "core/error.h"

#define FLAG(option_name, option_letter, what)                                                                         \
    { .name = option_name, .letter = option_letter, .type = OPTION_FLAG, .offset = offsetof (struct formats, flag),    \
      .text = what }

/*  In the order of enum format. */
#define FORMAT_FLAGS                                                                                                   \
    FLAG ("lines", 0, "a message a line; this is the default"),                                                        \
    FLAG ("nul", '0', "a message ends with a NUL"),                                                                    \
    FLAG ("raw", 0, "all of the input is one message; the output is the bytes, nothing added"),                        \
    FLAG ("len32", 0, "in front of each frame its length: 4 bytes, big-endian, the top bit when more frames follow"),  \
    FLAG ("hex", 0, "a message a line, two digits a byte, a space between frames"),                                    \
    FLAG ("json", 0, "a message a line, as an object with frames, topic, size and time")

#define INPUT_CHOICE                                                                                                   \
    { .name = "input", .type = OPTION_CHOICE, .argument = "FORMAT", .choices = FORMAT_CHOICES,                         \
      .offset = offsetof (struct formats, input), .text = "the format of the input alone" }

#define OUTPUT_CHOICE                                                                                                  \
    { .name = "output", .type = OPTION_CHOICE, .argument = "FORMAT", .choices = FORMAT_CHOICES,                        \
      .offset = offsetof (struct formats, output), .text = "the format of the output alone" },                         \
    { .name = "format", .type = OPTION_TEXT, .argument = "TEMPLATE", .offset = offsetof (struct formats, template),    \
      .text = "write messages by a template, as in '%n %t %b\\n'; see weft(1)" }

#define SEPARATOR                                                                                                      \
    { .name = "separator", .type = OPTION_TEXT, .argument = "TEXT", .offset = offsetof (struct formats, separator),    \
      .text = "what parts the frames of a message in lines and nul; \\t is a tab" }

const struct option formats_input_table[] = { FORMAT_FLAGS, INPUT_CHOICE, SEPARATOR, OPTION_END };
const struct option formats_output_table[] = { FORMAT_FLAGS, OUTPUT_CHOICE, SEPARATOR, OPTION_END };
const struct option formats_table[] = { FORMAT_FLAGS, INPUT_CHOICE, OUTPUT_CHOICE, SEPARATOR, OPTION_END };

/*  Replaces \t \n \r \\ in place. */
static int
unescape (char *text)
{
    static const char letters[] = "tnr\\", meanings[] = "\t\n\r\\";
    char *to = text;
    for (const char *from = text; *from; from++) {
        if (*from != '\\') {
            *to++ = *from;
            continue;
        }
        const char *letter = from[1] ? strchr (letters, *++from) : NULL;
        if (!letter)
            return error_set (WEFT_EINVAL, "separator: a backslash begins \\t, \\n, \\r or \\\\");
        *to++ = meanings[letter - letters];
    }
    *to = '\0';
    return 0;
}

/*  --lines, --json, ...: the one that is named holds for both directions. */
static int
set_flag (struct formats *self, const struct option *option, const char *value)
{
    int rc = option_set (option, self, value);
    if (rc)
        return rc;
    if (!self->flag)
        return error_set (WEFT_EINVAL, "%s: choose another format instead", option->name);
    const struct option *flags = formats_table;
    int format = FORMAT_LINES;
    while (strcmp (flags[format].name, option->name) != 0)
        format++;
    self->input = self->output = format;
    return 0;
}

int
formats_set (void *formats, const struct option *option, const char *value)
{
    struct formats *self = formats;
    if (option->type == OPTION_FLAG)
        return set_flag (self, option, value);
    int rc = strcmp (option->name, "format") == 0 ? format_template_check (value) : 0;
    if (!rc)
        rc = option_set (option, self, value);
    if (rc)
        return rc;
    if (strcmp (option->name, "format") == 0)
        self->output = FORMAT_TEMPLATE;
    return strcmp (option->name, "separator") == 0 ? unescape (self->separator) : 0;
}

void
formats_free (struct formats *self)
{
    option_free (formats_table, self);
}
