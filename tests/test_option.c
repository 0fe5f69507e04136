/*  test_option.c - values from text and back, command lines, help, suggestions */

#include "tests/testing.h"

#include "core/clock.h"
#include "core/option.h"

struct values {
    int64_t count, nice, size, time, wait;
    bool echo, retry;
    char *data;
    int format;
    struct option_list topics;
};

#define FIELD(name) offsetof (struct values, name)

static const struct option table[] = {
    { .name = "count", .letter = 'n', .type = OPTION_INT, .argument = "N", .standard = "10", .min = 1, .max = 1000000,
      .offset = FIELD (count), .text = "End after N messages" },
    { .name = "nice", .type = OPTION_INT, .argument = "N", .min = -20, .max = 0, .offset = FIELD (nice),
      .text = "Priority" },
    { .name = "max-size", .type = OPTION_SIZE, .argument = "BYTES", .standard = "64M", .min = -1,
      .offset = FIELD (size), .text = "The largest message that is taken, counted over all its frames together" },
    { .name = "timeout", .letter = 'T', .type = OPTION_TIME, .argument = "TIME", .standard = "forever", .min = -1,
      .max = 3600 * TIME_S, .offset = FIELD (time), .text = "Give up after TIME" },
    { .name = "wait", .type = OPTION_TIME, .argument = "TIME", .offset = FIELD (wait), .flags = OPTION_HIDDEN },
    { .name = "echo", .letter = 'e', .type = OPTION_FLAG, .offset = FIELD (echo), .text = "Answer with the request" },
    { .name = "no-retry", .letter = 'R', .type = OPTION_FLAG, .standard = "no", .flags = OPTION_NEGATIVE,
      .offset = FIELD (retry), .text = "Fail at once" },
    { .name = "data", .letter = 'd', .type = OPTION_TEXT, .argument = "TEXT", .standard = "hello",
      .offset = FIELD (data), .text = "Send TEXT" },
    { .name = "format", .letter = 'f', .type = OPTION_CHOICE, .argument = "FORMAT", .standard = "lines",
      .choices = "lines|nul|raw|json", .offset = FIELD (format), .text = "How messages are written" },
    { .name = "topic", .letter = 't', .type = OPTION_LIST, .argument = "TEXT", .offset = FIELD (topics),
      .text = "Only messages that begin with TEXT" },
    OPTION_END
};

static int
start (void **state)
{
    struct values *values = calloc (1, sizeof *values);
    assert_int_equal (option_init (table, values), 0);
    *state = values;
    return 0;
}

static int
stop (void **state)
{
    option_free (table, *state);
    free (*state);
    return 0;
}

static int
set (struct values *values, const char *name, const char *value)
{
    const struct option *option = option_find (table, name);
    assert_non_null (option);
    return option_set (option, values, value);
}

#define refuses(name, value, words) do { \
    assert_int_equal (set (values, (name), (value)), WEFT_EINVAL); \
    assert_says (name ": "); \
    assert_says (words); \
} while (0)

#define takes(name, value, field, number) do { \
    if (set (values, (name), (value))) \
        fail_msg ("%s", weft_error ()); \
    assert_int_equal (values->field, (number)); \
} while (0)

/* ------------------------------------------------------------------ values */

static void
defaults (void **state)
{
    struct values *values = *state;
    assert_int_equal (values->count, 10);
    assert_int_equal (values->nice, 0);
    assert_int_equal (values->size, 64 << 20);
    assert_int_equal (values->time, TIME_FOREVER);
    assert_false (values->echo);
    assert_true (values->retry);
    assert_string_equal (values->data, "hello");
    assert_int_equal (values->format, 0);
    assert_int_equal (values->topics.count, 0);
}

static void
a_wrong_default_is_an_error_and_leaves_nothing (void **state)
{
    (void) state;
    static const struct option wrong[] = {
        { .name = "data", .type = OPTION_TEXT, .standard = "x", .offset = FIELD (data) },
        { .name = "count", .type = OPTION_INT, .standard = "x", .offset = FIELD (count) },
        OPTION_END
    };
    struct values values = { 0 };
    assert_int_equal (option_init (wrong, &values), WEFT_EINVAL);
    assert_null (values.data);
}

static void
numbers (void **state)
{
    struct values *values = *state;
    takes ("count", "1", count, 1);
    takes ("count", "10k", count, 10000);
    takes ("count", "1.5k", count, 1500);
    takes ("count", "1M", count, 1000000);
    takes ("nice", "-20", nice, -20);
    refuses ("count", "0", "\"0\" is out of range; write 1..1000000, for example 10");
    refuses ("count", "1000001", "out of range");
    refuses ("count", "-1", "out of range");
    refuses ("nice", "1", "write -20..0");
    refuses ("count", "", "empty");
    refuses ("count", "x", "\"x\" is not a number");
    refuses ("count", "5x", "the units are k M G");
    refuses ("count", "5 ", "not a number");
    refuses ("count", " 5", "not a number");
    refuses ("count", "+5", "not a number");
    refuses ("count", "1,000", "not a number");
    refuses ("count", "0x10", "no known unit");
    refuses ("count", "1.", "not a number");
    refuses ("count", "1.5", "too fine");
    refuses ("count", "5s", "no known unit");
    refuses ("count", "9223372036854775808", "out of range");
    refuses ("count", "18446744073709551617", "out of range");
    refuses ("count", "9223372036854775807k", "out of range");
    refuses ("count", NULL, "needs a value: N");
    assert_int_equal (values->count, 1000000);      /*  as it was before all that */
}

static void
sizes (void **state)
{
    struct values *values = *state;
    takes ("max-size", "512", size, 512);
    takes ("max-size", "64K", size, 65536);
    takes ("max-size", "64k", size, 65536);
    takes ("max-size", "1.5M", size, 3 << 19);
    takes ("max-size", "2GiB", size, INT64_C (1) << 31);
    takes ("max-size", "1T", size, INT64_C (1) << 40);
    takes ("max-size", "7B", size, 7);
    takes ("max-size", "-1", size, -1);
    refuses ("max-size", "-2", "write -1 and up");
    refuses ("max-size", "0.3", "too fine");
    refuses ("max-size", "64KB", "the units are K M G T (powers of 1024)");
    refuses ("max-size", "8388608T", "out of range");
    refuses ("max-size", "16777216T", "out of range");      /*  2^64, which would wrap to 0 */
}

static void
times (void **state)
{
    struct values *values = *state;
    takes ("timeout", "500ms", time, 500 * TIME_MS);
    takes ("timeout", "1.5s", time, 1500 * TIME_MS);
    takes ("timeout", "2", time, 2 * TIME_S);
    takes ("timeout", "0.25", time, 250 * TIME_MS);
    takes ("timeout", "100us", time, 100 * TIME_US);
    takes ("timeout", "3ns", time, 3);
    takes ("timeout", "0.000000001s", time, 1);
    takes ("timeout", "3m", time, 180 * TIME_S);
    takes ("timeout", "1h", time, 3600 * TIME_S);
    takes ("timeout", "0", time, 0);
    takes ("timeout", "forever", time, TIME_FOREVER);
    refuses ("timeout", "1.0000001h", "out of range; write 0..1h, or forever, for example 500ms");
    refuses ("timeout", "-1", "out of range");
    refuses ("timeout", "5x", "the units are us ms s m h");
    refuses ("timeout", "5M", "no known unit");
    refuses ("timeout", "0.0000000001s", "too fine");
    refuses ("timeout", "99999999999h", "out of range");
    refuses ("wait", "forever", "write 0 and up, for example 500ms");
    takes ("wait", "1000h", wait, 3600000 * TIME_S);
}

static void
flags (void **state)
{
    struct values *values = *state;
    static const char *const yes[] = { "yes", "on", "true", "1", "Yes", NULL };
    static const char *const no[] = { "no", "off", "false", "0" };
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
        values->echo = false;
        takes ("echo", yes[i], echo, true);
        takes ("no-retry", yes[i], retry, false);
    }
    for (size_t i = 0; i < sizeof no / sizeof *no; i++) {
        values->echo = true;
        takes ("echo", no[i], echo, false);
        takes ("no-retry", no[i], retry, true);
    }
    refuses ("echo", "", "not yes or no");
    refuses ("echo", "maybe", "\"maybe\" is not yes or no");
}

static void
choices (void **state)
{
    struct values *values = *state;
    takes ("format", "json", format, 3);
    takes ("format", "lines", format, 0);
    takes ("format", "nul", format, 1);
    refuses ("format", "jsn", "not one of lines|nul|raw|json; did you mean json?");
    refuses ("format", "line", "did you mean lines?");
    refuses ("format", "", "not one of");
    refuses ("format", "lines|nul", "not one of");
    refuses ("format", "something", "not one of lines|nul|raw|json");
    assert_null (strstr (weft_error (), "did you mean"));
    assert_int_equal (values->format, 1);
}

static void
texts_and_lists (void **state)
{
    struct values *values = *state;
    assert_int_equal (set (values, "data", "a"), 0);
    assert_int_equal (set (values, "data", ""), 0);
    assert_string_equal (values->data, "");
    assert_int_equal (set (values, "topic", "x"), 0);
    assert_int_equal (set (values, "topic", ""), 0);
    assert_int_equal (values->topics.count, 2);
    assert_string_equal (values->topics.items[0], "x");
    assert_string_equal (values->topics.items[1], "");
    refuses ("topic", NULL, "needs a value: TEXT");
}

static void
gets (struct values *values, const char *name, const char *value, const char *text)
{
    char got[64];
    assert_int_equal (set (values, name, value), 0);
    assert_int_equal (option_get (option_find (table, name), values, got, sizeof got), 0);
    assert_string_equal (got, text);
}

/*  What is got can be set again, and gets the same. */
static void
as_text (void **state)
{
    static const char *const texts[][3] = {
        { "count", "1.5k", "1500" }, { "nice", "-20", "-20" }, { "max-size", "1536K", "1536K" },
        { "max-size", "1024K", "1M" }, { "max-size", "-1", "-1" }, { "max-size", "0", "0" }, { "max-size", "7B", "7" },
        { "timeout", "1500ms", "1500ms" }, { "timeout", "60", "1m" }, { "timeout", "90s", "90s" },
        { "timeout", "1us", "1us" }, { "timeout", "1ns", "1ns" }, { "timeout", "0ms", "0" },
        { "timeout", "forever", "forever" }, { "echo", "on", "yes" }, { "no-retry", "off", "no" },
        { "data", "x y", "x y" }, { "format", "raw", "raw" }, { "format", "json", "json" }
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        gets (*state, texts[i][0], texts[i][1], texts[i][2]);
        gets (*state, texts[i][0], texts[i][2], texts[i][2]);
    }
    gets (*state, "topic", "a", "a");
    gets (*state, "topic", "b", "a,b");
}

static void
as_text_that_does_not_fit (void **state)
{
    struct values *values = *state;
    char got[4];
    set (values, "topic", "ab");
    set (values, "topic", "cd");
    assert_int_equal (option_get (option_find (table, "topic"), values, got, sizeof got), WEFT_ETOOBIG);
    assert_int_equal (option_get (option_find (table, "data"), values, got, sizeof got), WEFT_ETOOBIG);
    assert_int_equal (option_get (option_find (table, "data"), values, got, 0), WEFT_ETOOBIG);
    assert_int_equal (option_get (option_find (table, "count"), values, got, 2), WEFT_ETOOBIG);
    assert_int_equal (option_get (option_find (table, "count"), values, got, 3), 0);
    assert_string_equal (got, "10");
}

static void
ranges (void **state)
{
    (void) state;
    static const char *const texts[][2] = {
        { "count", "1..1000000" }, { "nice", "-20..0" }, { "max-size", "-1 and up" },
        { "timeout", "0..1h, or forever" }, { "wait", "0 and up" }, { "echo", "yes|no" },
        { "format", "lines|nul|raw|json" }, { "data", "" }, { "topic", "" }
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char range[64];
        option_range (option_find (table, texts[i][0]), range, sizeof range);
        assert_string_equal (range, texts[i][1]);
    }
}

static void
names (void **state)
{
    (void) state;
    assert_ptr_equal (option_find (table, "max_size"), option_find (table, "max-size"));
    assert_null (option_find (table, "max"));
    assert_null (option_find (table, "max-sizes"));
    assert_null (option_find (table, ""));
}

/* ----------------------------------------------------------- command lines */

struct line {
    int rc, count;
    char *operands[16];
};

static struct line
parse_groups (const struct option_group *groups, bool posix, const char *first, va_list args)
{
    char *argv[16] = { "weft" };
    int argc = 1;
    struct line line = { 0 };
    for (const char *arg = first; arg; arg = va_arg (args, const char *))
        argv[argc++] = (char *) (uintptr_t) arg;
    line.rc = option_parse (groups, argc, argv, posix, line.operands, &line.count);
    return line;
}

static struct line
parse (struct values *values, bool posix, const char *first, ...)
{
    const struct option_group groups[] = { { .table = table, .target = values }, { .table = NULL } };
    va_list args;
    va_start (args, first);
    struct line line = parse_groups (groups, posix, first, args);
    va_end (args);
    return line;
}

static void
every_form (void **state)
{
    struct values *values = *state;
    struct line line = parse (values, false, "one", "--count", "5", "--max_size=1K", "-", "-eT2s", "-t", "a", "-tb",
                              "--data=", "-R", "--", "-e", NULL);
    assert_int_equal (line.rc, 0);
    assert_int_equal (line.count, 3);
    assert_string_equal (line.operands[0], "one");
    assert_string_equal (line.operands[1], "-");
    assert_string_equal (line.operands[2], "-e");
    assert_int_equal (values->count, 5);
    assert_int_equal (values->size, 1024);
    assert_true (values->echo);
    assert_int_equal (values->time, 2 * TIME_S);
    assert_int_equal (values->topics.count, 2);
    assert_string_equal (values->topics.items[1], "b");
    assert_string_equal (values->data, "");
    assert_false (values->retry);
}

static void
flags_on_the_line (void **state)
{
    struct values *values = *state;
    assert_int_equal (parse (values, false, "--echo", "--no-retry", NULL).rc, 0);
    assert_true (values->echo);
    assert_false (values->retry);
    assert_int_equal (parse (values, false, "--no-echo", "--no-no-retry", NULL).rc, 0);
    assert_false (values->echo);
    assert_true (values->retry);
    assert_int_equal (parse (values, false, "--echo=on", NULL).rc, 0);
    assert_true (values->echo);
}

static void
posix_stops_at_the_first_operand (void **state)
{
    struct line line = parse (*state, true, "-e", "ls", "-l", "--", NULL);
    assert_int_equal (line.rc, 0);
    assert_int_equal (line.count, 3);
    assert_string_equal (line.operands[1], "-l");
    assert_string_equal (line.operands[2], "--");
    line = parse (*state, true, "--", "-l", NULL);
    assert_int_equal (line.count, 1);
    assert_string_equal (line.operands[0], "-l");
    assert_int_equal (parse (*state, false, NULL).count, 0);
}

static void
bad_lines (void **state)
{
    static const char *const lines[][3] = {
        { "--count", NULL, "--count needs a value: --count N" },
        { "-t", NULL, "--topic needs a value: --topic TEXT" },
        { "--count", "x", "--count: \"x\" is not a number" },
        { "--tiemout=5", NULL, "unknown option --tiemout; did you mean --timeout?" },
        { "--time", "5", "unknown option --time; did you mean --timeout?" },
        { "--TOPIC", "5", "did you mean --topic?" },
        { "--no-ecko", NULL, "did you mean --no-echo?" },
        { "--no-data", NULL, "--data takes a value, so there is no --no-data" },
        { "--no-echo=yes", NULL, "--no-echo takes no value" },
        { "--qwertz", NULL, "unknown option --qwertz" },
        { "--=5", NULL, "unknown option --=5" },
        { "-x", NULL, "unknown option -x; write -- before" },
        { "-ex", NULL, "unknown option -x in -ex" },
        { "-e=1", NULL, "-e takes no value" },
        { "-echo", NULL, "unknown option -echo; did you mean --echo?" },
        { "--echo=2", NULL, "--echo: \"2\" is not yes or no" },
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        assert_int_equal (parse (*state, false, lines[i][0], lines[i][1], NULL).rc, WEFT_EINVAL);
        assert_says (lines[i][2]);
    }
    char *name = malloc (100000);
    memset (name, 'x', 99999);
    memcpy (name, "--", 2);
    name[99999] = '\0';
    assert_int_equal (parse (*state, false, name, NULL).rc, WEFT_EINVAL);
    free (name);
    parse (*state, false, "--qwertz", NULL);
    assert_null (strstr (weft_error (), "did you mean"));
}

static void
set_by_name (void **state)
{
    struct values *values = *state;
    static const struct option other[] = { { .name = "other", .type = OPTION_FLAG }, OPTION_END };
    const struct option_group groups[] = { { .table = other }, { .table = table, .target = values }, { 0 } };
    assert_int_equal (option_set_in (groups, "max_size", "5", "a pool", NULL), 0);
    assert_int_equal (values->size, 5);
    assert_int_equal (option_set_in (groups, "max-size", "6", "a pool", "the bind"), WEFT_ESTATE);
    assert_string_equal (weft_error (), "max-size: has to be set before the bind");
    assert_int_equal (values->size, 5);
    assert_int_equal (option_set_in (groups, "max-siz", "6", "a pool", "the bind"), WEFT_EINVAL);
    assert_string_equal (weft_error (), "max-siz: no such option of a pool; perhaps max-size?");
    assert_int_equal (option_set_in (groups, "qwertz", "6", "a pool", NULL), WEFT_EINVAL);
    assert_string_equal (weft_error (), "qwertz: no such option of a pool");
}

struct raw {
    char text[256];
};

static int
note_raw (void *target, const struct option *option, const char *value)
{
    struct raw *raw = target;
    size_t used = strlen (raw->text);
    snprintf (raw->text + used, sizeof raw->text - used, "%s=%s ", option->name, value ? value : "(null)");
    return 0;
}

static void
a_group_may_take_raw_text (void **state)
{
    static const struct option own[] = {
        { .name = "own", .letter = 'o', .type = OPTION_INT, .argument = "N", .offset = FIELD (count) },
        { .name = "flag", .letter = 'F', .type = OPTION_FLAG, .offset = FIELD (echo) },
        OPTION_END
    };
    struct raw raw = { "" };
    const struct option_group groups[] = {
        { .table = table, .target = *state },
        { .table = own, .target = &raw, .set = note_raw },
        { .table = NULL }
    };
    char *argv[] = { "weft", "-oX", "--flag", "--no-flag", "-e", "--own", "7", "-F" };
    char *operands[8];
    int count;
    assert_int_equal (option_parse (groups, 8, argv, false, operands, &count), 0);
    assert_string_equal (raw.text, "own=X flag=(null) flag=no own=7 flag=(null) ");
    assert_true (((struct values *) *state)->echo);
}

/* ------------------------------------------------------------- suggestions */

static const char *
nearest (const char *word)
{
    static const char *const words[] = { "req", "rep", "pub", "sub", "push", "pull", "proxy", "run", "worker" };
    return option_nearest_word (word, words, sizeof words / sizeof *words);
}

static void
suggestions (void **state)
{
    (void) state;
    assert_string_equal (nearest ("wroker"), "worker");
    assert_string_equal (nearest ("rpe"), "rep");           /*  one edit, as neighbours swapped */
    assert_string_equal (nearest ("prxoy"), "proxy");
    assert_string_equal (nearest ("PULL"), "pull");
    assert_string_equal (nearest ("work"), "worker");
    assert_string_equal (nearest ("pul"), "pull");         /*  begins so, though pub is an edit away, too */
    assert_string_equal (nearest ("pll"), "pull");
    assert_null (nearest ("banana"));
    assert_null (nearest ("lab"));
    assert_null (nearest ("x"));
    assert_null (nearest (""));
    assert_null (option_nearest_word ("x", NULL, 0));
    const struct option_group groups[] = { { .table = table }, { .table = NULL } };
    assert_string_equal (option_nearest (groups, "fromat"), "format");
    assert_string_equal (option_nearest (groups, "max_siez"), "max-size");
    assert_null (option_nearest (groups, "wait"));      /*  hidden */
}

/* -------------------------------------------------------------------- help */

static void
help (void **state)
{
    const struct option_group groups[] = {
        { .table = table, .target = *state, .title = "Options" }, { .table = NULL }
    };
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream (&text, &size);
    option_help (groups, out);
    fclose (out);
    assert_string_equal (text,
        "Options:\n"
        "  -n, --count N         End after N messages (default 10; 1..1000000)\n"
        "      --nice N          Priority (-20..0)\n"
        "      --max-size BYTES  The largest message that is taken, counted over all its\n"
        "                        frames together (default 64M; -1 and up)\n"
        "  -T, --timeout TIME    Give up after TIME (default forever; 0..1h, or forever)\n"
        "  -e, --echo            Answer with the request\n"
        "  -R, --no-retry        Fail at once\n"
        "  -d, --data TEXT       Send TEXT (default hello)\n"
        "  -f, --format FORMAT   How messages are written (default lines;\n"
        "                        lines|nul|raw|json)\n"
        "  -t, --topic TEXT      Only messages that begin with TEXT (repeatable)\n");
    free (text);
}

#define with_values(test) cmocka_unit_test_setup_teardown (test, start, stop)

int
main (void)
{
    const struct CMUnitTest tests[] = {
        with_values (defaults),
        cmocka_unit_test (a_wrong_default_is_an_error_and_leaves_nothing),
        with_values (numbers),
        with_values (sizes),
        with_values (times),
        with_values (flags),
        with_values (choices),
        with_values (texts_and_lists),
        with_values (as_text),
        with_values (as_text_that_does_not_fit),
        cmocka_unit_test (ranges),
        cmocka_unit_test (names),
        with_values (every_form),
        with_values (flags_on_the_line),
        with_values (posix_stops_at_the_first_operand),
        with_values (bad_lines),
        with_values (set_by_name),
        with_values (a_group_may_take_raw_text),
        cmocka_unit_test (suggestions),
        with_values (help),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
