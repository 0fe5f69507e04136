/*  test_joblist.c - what was typed, as a list of jobs */

#include <unistd.h>

#include "cli/joblist.h"
#include "tests/folder.h"
#include "tests/testing.h"

static void
assert_jobs (const struct joblist_options *options, const char *const *words, const char *in, const char *tag,
             const char *expected)
{
    char *operands[16], got[1024] = "";
    int count = 0, fds[2], rc;
    for (; words[count]; count++)
        operands[count] = (char *) (uintptr_t) words[count];
    assert_int_equal (pipe (fds), 0);
    assert_int_equal (write (fds[1], in, strlen (in)), strlen (in));
    close (fds[1]);
    struct joblist list;
    struct buffer command, label;
    buffer_init (&command, 0);
    buffer_init (&label, 0);
    assert_int_equal (joblist_init (&list, options, operands, count, fds[0], tag), 0);
    while ((rc = joblist_next (&list, &command, &label)) == 1) {
        strcat (strcat (got, buffer_data (&label)), tag ? ">" : "");
        strcat (strcat (got, buffer_data (&command)), "|");
    }
    assert_int_equal (rc, WEFT_EEND);
    assert_string_equal (got, expected);
    buffer_free (&command);
    buffer_free (&label);
    joblist_free (&list);
    close (fds[0]);
}

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void
typed (void **state)
{
    (void) state;
    struct joblist_options plain = { .per_job = 1 };
    struct joblist_options two = { .per_job = 2 };
    struct joblist_options nul = { .null = true, .per_job = 1 };
    static char from_in[] = "-", *files[] = { from_in };
    struct joblist_options file = { .files = { files, 1 }, .per_job = 1 };
    assert_jobs (&plain, WORDS ("echo", "{}", ":::", "a b", "c"), "", NULL, "echo 'a b'|echo c|");
    assert_jobs (&plain, WORDS ("echo {} {#}", ":::", "a"), "", NULL, "echo a 1|");
    assert_jobs (&plain, WORDS ("echo"), "x\ny\n", NULL, "echo x|echo y|");
    assert_jobs (&plain, WORDS (":::", "echo 1; echo 2"), "", NULL, "echo 1; echo 2|");
    assert_jobs (&plain, WORDS (NULL), "echo 1\necho 2\n", NULL, "echo 1|echo 2|");
    assert_jobs (&plain, WORDS ("x", ":::", "a", "b", ":::+", "1", "2"), "", NULL, "x a 1|x b 2|");
    assert_jobs (&plain, WORDS ("x", "::::", "-", ":::", "1", "2"), "a\n", NULL, "x a 1|x a 2|");
    assert_jobs (&plain, WORDS ("x", ":::"), "", NULL, "");
    assert_jobs (&two, WORDS ("x", "{2}-{1}", ":::", "a", "b", "c"), "", NULL, "x b-a|x -c|");
    assert_jobs (&nul, WORDS ("x"), "a", NULL, "x a|");
    assert_jobs (&file, WORDS ("x"), "a\n", NULL, "x a|");
    assert_jobs (&file, WORDS ("x", ":::", "1"), "a\n", NULL, "x a 1|");
    assert_jobs (&plain, WORDS ("x", "{%}", ":::", "a b", "c"), "", "{}:{#}", "a b:1>x " JOBLIST_SLOT_MARK
                 "|c:2>x " JOBLIST_SLOT_MARK "|");
}

static void
refuse (const char *const *words)
{
    struct joblist_options plain = { .per_job = 1 };
    struct joblist list;
    char *operands[16];
    int count = 0;
    for (; words[count]; count++)
        operands[count] = (char *) (uintptr_t) words[count];
    assert_true (joblist_init (&list, &plain, operands, count, 0, NULL) < 0);
}

static void
refusals (void **state)
{
    (void) state;
    refuse (WORDS ("x", "::::"));
    refuse (WORDS ("x", "::::", "/nonexistent"));
    refuse (WORDS ("x", "::::", "-", "-"));
    refuse (WORDS ("{= perl =}", ":::", "a"));
}

/*  Files of commands follow one on the other. */
static void
files (void **state)
{
    (void) state;
    struct joblist_options plain = { .per_job = 1 };
    char paths[2][256], missing[] = "/nonexistent";
    char *operands[] = { paths[0], paths[1], paths[0] }, *bad[] = { paths[0], missing }, got[100] = "";
    struct joblist list;
    struct buffer command, tag;
    buffer_init (&command, 0);
    buffer_init (&tag, 0);
    folder_write ("two", "one 1\ntwo {}\n", 0600);
    folder_write ("one", "three", 0600);
    strcpy (paths[0], folder_path ("two"));
    strcpy (paths[1], folder_path ("one"));
    assert_int_equal (joblist_init_files (&list, &plain, operands, 3, -1, NULL), 0);
    while (joblist_next (&list, &command, &tag) == 1)
        strcat (strcat (got, buffer_data (&command)), "|");
    assert_string_equal (got, "one 1|two {}|three|one 1|two {}|");
    joblist_free (&list);
    assert_true (joblist_init_files (&list, &plain, bad, 2, -1, NULL) < 0);
    assert_says (missing);
    buffer_free (&command);
    buffer_free (&tag);
}

static void
long_command (void **state)
{
    (void) state;
    struct joblist_options plain = { .per_job = 1 };
    char words[][8] = { "echo", ":::" }, *value = calloc (1, JOBLIST_COMMAND_MAX);
    char *operands[] = { words[0], words[1], value };
    struct joblist list;
    struct buffer command, tag;
    buffer_init (&command, 0);
    buffer_init (&tag, 0);
    memset (value, 'x', JOBLIST_COMMAND_MAX - 5);
    assert_int_equal (joblist_init (&list, &plain, operands, 3, 0, NULL), 0);
    assert_int_equal (joblist_next (&list, &command, &tag), 1);
    joblist_free (&list);
    value[JOBLIST_COMMAND_MAX - 5] = 'x';
    assert_int_equal (joblist_init (&list, &plain, operands, 3, 0, NULL), 0);
    assert_int_equal (joblist_next (&list, &command, &tag), WEFT_ETOOBIG);
    joblist_free (&list);
    buffer_free (&command);
    buffer_free (&tag);
    free (value);
}

int
main (void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test (typed), cmocka_unit_test (refusals), cmocka_unit_test (files),
                                        cmocka_unit_test (long_command) };
    return cmocka_run_group_tests (tests, folder_setup, folder_teardown);
}
