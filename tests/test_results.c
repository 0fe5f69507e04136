/*  test_results.c - what each job writes, kept in files of its own */

#include <dirent.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/results.h"
#include "cli/resultrow.h"
#include "tests/folder.h"
#include "tests/testing.h"

static char folder[FOLDER_SIZE];

static struct arglist
arguments (const char *const *values)
{
    struct arglist args;
    arglist_init (&args);
    for (; *values; values++)
        assert_int_equal (arglist_add (&args, *values, strlen (*values)), 0);
    return args;
}

static void
assert_place (const char *path, enum results_kind kind, const char *const *values, const char *expected)
{
    struct results results;
    struct arglist args = arguments (values);
    struct buffer place;
    buffer_init (&place, 0);
    assert_int_equal (results_open (&results, path), 0);
    assert_int_equal (results.kind, kind);
    assert_int_equal (results_place (&results, &args, 7, "%", &place), 0);
    assert_string_equal (buffer_data (&place), expected);
    results_close (&results);
    arglist_free (&args);
    buffer_free (&place);
}

#define VALUES(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void
places (void **state)
{
    (void) state;
    char value[301] = "", expected[400];
    memset (value, 'x', 300);
    sprintf (expected, "r/1/%.255s/", value);
    assert_place ("r", RESULTS_TREE, VALUES ("a b", "c"), "r/1/a b/2/c/");
    assert_place ("r", RESULTS_TREE, VALUES ("a/b\\\tc\n"), "r/1/a\\_b\\\\\\tc\n/");
    assert_place ("r", RESULTS_TREE, VALUES (".", "..", "...", ""), "r/1/\\./2/\\../3/.../4//");
    assert_place ("r", RESULTS_TREE, VALUES (value), expected);
    assert_place ("r", RESULTS_TREE, VALUES (NULL), "r/1/\\0noarg/");
    assert_place ("r/{2}-{#}{%}/", RESULTS_NAMED, VALUES ("a", "b/c"), "r/b/c-7%/");
    assert_place ("x.CSV", RESULTS_CSV, VALUES ("a", "b c", "d\"e", "f,g"), "a,\"b c\",\"d\"\"e\",\"f,g\"");
    assert_place ("{}.tsv", RESULTS_TSV, VALUES ("a", "b c", "f,g", ""), "a\t\"b c\"\tf,g\t");
    assert_place ("-.json", RESULTS_JSON, VALUES ("a\n", "\"\\"), "\"a\\u000a\",\"\\\"\\\\\"");
}

static void
assert_file (const char *path, const char *expected)
{
    char text[64] = "";
    FILE *file = fopen (path, "r");
    assert_non_null (file);
    assert_int_equal (fread (text, 1, sizeof text - 1, file), strlen (expected));
    assert_string_equal (text, expected);
    fclose (file);
}

static int
descriptors (void)
{
    DIR *open = opendir ("/proc/self/fd");
    int count = 0;
    while (readdir (open))
        count++;
    closedir (open);
    return count;
}

#define JOBS (RESULTS_OPEN_MAX * 2)

/*  More jobs at once than files may be open, each in two attempts. */
static void
many (void **state)
{
    (void) state;
    struct results results;
    struct results_job jobs[JOBS] = { { .number = 0 } };
    char places[JOBS][128], path[300];
    int before = descriptors ();
    assert_int_equal (results_open (&results, folder), 0);
    for (int i = 0; i < JOBS; i++) {
        sprintf (places[i], "%s/many/%d/", folder, i);
        assert_int_equal (results_begin (&results, &jobs[i], places[i], (uint64_t) i + 1), 0);
        assert_int_equal (results_write (&jobs[i], places[i], 1, "void", 4), 0);
        assert_int_equal (results_begin (&results, &jobs[i], places[i], (uint64_t) i + 1), 0);
        assert_int_equal (results_write (&jobs[i], places[i], 0, "one ", 4), 0);
    }
    assert_true (descriptors () - before <= RESULTS_OPEN_MAX);
    for (int i = 0; i < JOBS; i++) {
        assert_int_equal (results_write (&jobs[i], places[i], 0, "two", 3), 0);
        assert_false (results_exist (&results, places[i]));
        assert_int_equal (results_end (&jobs[i], places[i]), 0);
        assert_true (results_exist (&results, places[i]));
        assert_file (strcat (strcpy (path, places[i]), "stdout"), "one two");
        assert_file (strcat (strcpy (path, places[i]), "stderr"), "");
        assert_int_equal (access (strcat (strcpy (path, places[i]), "stderr.1.part"), F_OK), -1);
    }
    assert_int_equal (results.opened, 0);
    assert_int_equal (descriptors (), before);
    results_close (&results);
}

/*  Two jobs with the same values do not mix what they write; that is told once. */
static void
same_place (void **state)
{
    (void) state;
    struct results results;
    struct results_job first = { .number = 0 }, second = first, third = first;
    char place[128], path[300];
    sprintf (place, "%s/same", folder);
    for (int run = 0; run < 2; run++) {
        first = second = third = (struct results_job){ .number = 0 };
        assert_int_equal (results_open (&results, "{}"), 0);
        results.since.tv_sec += run ? 1000 : 0;             /*  a later run: what is there is older */
        assert_int_equal (results_begin (&results, &first, place, 1), 0);
        assert_int_equal (results_write (&first, place, 0, "first", 5), 0);
        assert_int_equal (results_begin (&results, &second, place, 2), run ? 0 : 1);
        assert_int_equal (results_begin (&results, &third, place, 3), 0);
        assert_int_equal (results_write (&second, place, 0, "second", 6), 0);
        assert_int_equal (results_end (&second, place), 0);
        assert_file (place, "second");
        assert_int_equal (results_write (&first, place, 0, " again", 6), 0);
        assert_int_equal (results_end (&first, place), 0);
        assert_file (place, "first again");
        assert_int_equal (results_write (&third, place, 1, "lost", 4), 0);
        results_drop (&third);
        assert_file (strcat (strcpy (path, place), ".err.3.part"), "lost");
        assert_file (strcat (strcpy (path, place), ".seq"), "3");
        results_close (&results);
    }
}

static void
refusals (void **state)
{
    (void) state;
    struct results results;
    struct results_job job = { .number = 0 };
    char place[PATH_MAX + 10] = "";
    assert_int_equal (results_open (&results, ""), WEFT_EINVAL);
    assert_int_equal (results_open (&results, "{= x =}"), WEFT_ENOTSUP);
    assert_int_equal (results_open (&results, NULL), 0);
    assert_int_equal (results.kind, RESULTS_NONE);
    results_close (&results);
    assert_int_equal (results_open (&results, "r"), 0);
    assert_true (results_begin (&results, &job, "/dev/null/x/", 1) < 0);
    assert_non_null (strstr (weft_error (), "/dev/null/x/"));
    assert_true (job.bad);
    assert_int_equal (results_write (&job, "/dev/null/x/", 0, "x", 1), 0);  /*  was told */
    assert_int_equal (results_end (&job, "/dev/null/x/"), 0);
    memset (place, 'x', PATH_MAX);
    job = (struct results_job){ .number = 0 };
    assert_int_equal (results_begin (&results, &job, place, 1), WEFT_ETOOBIG);
    results_close (&results);
    assert_int_equal (results_open (&results, "/nonexistent/x.csv"), 0);
    assert_true (resultrow_open (&results, 1) < 0);
    results_close (&results);
}

static int
make_folder (void **state)
{
    (void) state;
    return folder_make (folder);
}

int
main (void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test (places), cmocka_unit_test (many),
                                        cmocka_unit_test (same_place), cmocka_unit_test (refusals) };
    return cmocka_run_group_tests (tests, make_folder, folder_teardown);
}
