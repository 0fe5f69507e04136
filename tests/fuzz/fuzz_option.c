/*  fuzz_option.c - NUL-separated words are a command line against one option of each type */

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/option.h"

#define WORDS_MAX 64

struct values {
    int64_t count, size, time;
    bool flag, inverse;
    char *text;
    int choice;
    struct option_list list;
};

#define FIELD(name) offsetof (struct values, name)

static const struct option table[] = {
    { .name = "count", .letter = 'n', .type = OPTION_INT, .min = -5, .max = 1000, .offset = FIELD (count) },
    { .name = "max-size", .letter = 's', .type = OPTION_SIZE, .standard = "64M", .offset = FIELD (size) },
    { .name = "timeout", .letter = 't', .type = OPTION_TIME, .min = -1, .offset = FIELD (time) },
    { .name = "flag", .letter = 'f', .type = OPTION_FLAG, .offset = FIELD (flag) },
    { .name = "no-retry", .type = OPTION_FLAG, .flags = OPTION_NEGATIVE, .offset = FIELD (inverse) },
    { .name = "data", .letter = 'd', .type = OPTION_TEXT, .offset = FIELD (text) },
    { .name = "format", .type = OPTION_CHOICE, .choices = "lines|nul|raw", .offset = FIELD (choice) },
    { .name = "topic", .letter = 'T', .type = OPTION_LIST, .offset = FIELD (list) },
    OPTION_END
};

int LLVMFuzzerTestOneInput (const unsigned char *data, size_t size);

/*  Values are in range, and what a number reads as sets the same number. */
static void
check (struct values *values)
{
    assert (values->count >= -5 && values->count <= 1000);
    assert (values->size >= 0 && values->time >= -1);
    for (const struct option *option = table; option->type <= OPTION_TIME; option++) {
        struct values again = { 0 };
        char text[64];
        assert (option_get (option, values, text, sizeof text) == 0);
        assert (option_set (option, &again, text) == 0);
        assert (memcmp ((char *) &again + option->offset, (char *) values + option->offset,
                        option->type == OPTION_FLAG ? sizeof (bool) : sizeof (int64_t)) == 0);
    }
}

int
LLVMFuzzerTestOneInput (const unsigned char *data, size_t size)
{
    char *line = malloc (size + 1), *argv[WORDS_MAX] = { "weft" }, *operands[WORDS_MAX];
    struct values values = { 0 };
    int argc = 1, count = 0;
    if (!line)
        return 0;
    memcpy (line, data, size);
    line[size] = '\0';
    for (char *word = line; word <= line + size && argc < WORDS_MAX; word += strlen (word) + 1)
        argv[argc++] = word;

    const struct option_group groups[] = { { .table = table, .target = &values }, { .table = NULL } };
    if (option_init (table, &values) == 0)
        option_parse (groups, argc, argv, size & 1, operands, &count);
    assert (count < argc);
    check (&values);
    option_free (table, &values);
    free (line);
    return 0;
}
