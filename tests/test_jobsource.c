/*  test_jobsource.c - the arguments of jobs: combinations, delimiters, columns */

#include <unistd.h>

#include "cli/columns.h"
#include "cli/jobsource.h"
#include "cli/records.h"
#include "tests/folder.h"
#include "tests/testing.h"

struct source_case {
    const char *words[4];       /*  parted by spaces; + before the first: linked    */
    const char *in;             /*  standard input, when a member of words is "-"   */
    const char *delimiter, *colsep;
    int per_job;                /*  0: 1, -1: 0                                     */
    bool skip_blank, link;
    const char *expected;       /*  arguments parted by ',', jobs by '|'            */
};

static const struct source_case cases[] = {
    { { "a b c" }, .expected = "a|b|c" },
    { { "a b", "c d" }, .expected = "a,c|a,d|b,c|b,d" },
    { { "a b", "c d", "x y" }, .expected = "a,c,x|a,c,y|a,d,x|a,d,y|b,c,x|b,c,y|b,d,x|b,d,y" },
    { { "a b", "+c d e" }, .expected = "a,c|b,d" },
    { { "a b c", "+1 2 3", "X Y", "+11 22" }, .expected = "a,1,X,11|a,1,Y,22|b,2,X,11|b,2,Y,22|c,3,X,11|c,3,Y,22" },
    { { "a b c", "1 2" }, .link = true, .expected = "a,1|b,2|c,1" },
    { { "1 2", "-" }, .in = "a\nb\nc\n", .link = true, .expected = "1,a|2,b|1,c" },
    { { "a b", "" }, .expected = "a,|b," },
    { { "", "a" }, .expected = ",a" },
    { { "" }, .expected = "" },
    { { NULL }, .expected = "" },
    { { "a b c" }, .per_job = 2, .expected = "a,b|c" },
    { { "a b", "c d" }, .per_job = 2, .expected = "a,c,a,d|b,c,b,d" },
    { { "a b c" }, .per_job = -1, .expected = "||" },
    { { "-" }, .in = "a\nb\n\nlast", .expected = "a|b||last" },
    { { "-" }, .in = "a\n \t\nb\n\n", .skip_blank = true, .expected = "a|b" },
    { { "-" }, .in = "", .expected = "" },
    { { "-" }, .in = "a,b\n", .delimiter = ",", .expected = "a|b\n" },
    { { "-" }, .in = "a::b:c::", .delimiter = "::", .expected = "a|b:c" },
    { { "-" }, .in = "a\tb", .delimiter = "\\t", .expected = "a|b" },
    { { "-", "x y" }, .in = "1\n2\n", .expected = "1,x|1,y|2,x|2,y" },
    { { "x y", "-" }, .in = "1\n2\n", .expected = "x,1|x,2|y,1|y,2" },
    { { "x", "-" }, .in = "", .expected = "x," },
    { { "-", "+x y z" }, .in = "1\n2\n", .expected = "1,x|2,y" },
    { { "-" }, .in = "a, b\nc,,e\n", .colsep = ",", .expected = "a,b|c,,e" },
    { { "-" }, .in = "a  b c\n", .colsep = "\\s+", .expected = "a,b,c" },
    { { "-" }, .in = "a|b.c\n", .colsep = "|", .expected = "a,b.c" },
    { { "-" }, .in = "a b\tc d\n", .colsep = "\\t", .expected = "a b,c d" },
    { { "A-B C-D", "e-f" }, .colsep = "-", .expected = "A,B,e,f|C,D,e,f" },
};

static int
pipe_of (const char *text, size_t size)
{
    int fds[2];
    assert_int_equal (pipe (fds), 0);
    assert_int_equal (write (fds[1], text, size), size);
    close (fds[1]);
    return fds[0];
}

static void
add_words (struct jobsource *source, const char *text, int in, char *words[16], char *copy)
{
    bool linked = *text == '+';
    size_t count = 0;
    if (strcmp (text, "-") == 0) {
        assert_int_equal (jobsource_add_file (source, "-", in, linked), 0);
        return;
    }
    strcpy (copy, text + linked);
    for (char *word = strtok (copy, " "); word; word = strtok (NULL, " "))
        words[count++] = word;
    assert_int_equal (jobsource_add_words (source, words, count, linked), 0);
}

static void
run_case (const struct source_case *c)
{
    char *words[4][16], copies[4][64], got[512] = "";
    struct jobsource_config config = { .delimiter = c->delimiter, .colsep = c->colsep, .skip_blank = c->skip_blank,
                                       .link = c->link, .per_job = c->per_job < 0 ? 0 : c->per_job ? c->per_job : 1 };
    int in = pipe_of (c->in ? c->in : "", c->in ? strlen (c->in) : 0), rc, jobs = 0;
    struct jobsource *source = jobsource_new (&config);
    assert_non_null (source);
    for (int i = 0; i < 4 && c->words[i]; i++)
        add_words (source, c->words[i], in, words[i], copies[i]);
    struct arglist args;
    arglist_init (&args);
    while ((rc = jobsource_next (source, &args)) == 1 && jobs < 20) {
        strcat (got, jobs++ ? "|" : "");
        char **values = arglist_values (&args);
        for (size_t i = 0; i < args.count; i++) {
            strcat (got, i ? "," : "");
            strcat (got, values[i]);
        }
    }
    assert_int_equal (rc, WEFT_EEND);
    assert_string_equal (got, c->expected);
    arglist_free (&args);
    jobsource_destroy (&source);
    close (in);
}

static void
combinations (void **state)
{
    (void) state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        run_case (&cases[i]);
}

/*  A slow standard input: what has come is given out, the rest is waited for. */
static void
streaming (void **state)
{
    (void) state;
    int fds[2];
    char *words[] = { "x", "y" };
    assert_int_equal (pipe (fds), 0);
    struct jobsource *source = jobsource_new (&(struct jobsource_config){ .per_job = 1 });
    assert_int_equal (jobsource_add_file (source, "-", fds[0], false), 0);
    assert_int_equal (jobsource_add_words (source, words, 2, false), 0);
    struct arglist args;
    arglist_init (&args);
    assert_int_equal (jobsource_next (source, &args), 0);
    assert_int_equal (jobsource_fd (source), fds[0]);
    assert_int_equal (write (fds[1], "1\n2", 3), 3);
    assert_int_equal (jobsource_next (source, &args), 1);
    assert_string_equal (arglist_values (&args)[0], "1");
    assert_string_equal (arglist_values (&args)[1], "x");
    assert_int_equal (jobsource_next (source, &args), 1);
    assert_string_equal (arglist_values (&args)[1], "y");
    assert_int_equal (jobsource_next (source, &args), 0);
    assert_int_equal (write (fds[1], "2\n", 2), 2);
    assert_int_equal (jobsource_next (source, &args), 1);
    assert_string_equal (arglist_values (&args)[0], "22");
    close (fds[1]);
    assert_int_equal (jobsource_next (source, &args), 1);
    assert_int_equal (jobsource_next (source, &args), WEFT_EEND);
    arglist_free (&args);
    jobsource_destroy (&source);
    close (fds[0]);
}

/*  Half a job (of three values) survives having to wait. */
static void
waiting_within_a_job (void **state)
{
    (void) state;
    int fds[2];
    assert_int_equal (pipe (fds), 0);
    struct jobsource *source = jobsource_new (&(struct jobsource_config){ .per_job = 3 });
    assert_int_equal (jobsource_add_file (source, "-", fds[0], false), 0);
    struct arglist args;
    arglist_init (&args);
    assert_int_equal (write (fds[1], "a\nb\n", 4), 4);
    assert_int_equal (jobsource_next (source, &args), 0);
    assert_int_equal (write (fds[1], "c\n", 2), 2);
    assert_int_equal (jobsource_next (source, &args), 1);
    assert_int_equal (args.count, 3);
    assert_string_equal (arglist_values (&args)[0], "a");
    assert_string_equal (arglist_values (&args)[2], "c");
    arglist_free (&args);
    jobsource_destroy (&source);
    close (fds[0]);
    close (fds[1]);
}

/*  Of two sources that go in step one has to wait: the other's value is not taken twice. */
static void
waiting_in_step (void **state)
{
    (void) state;
    int slow[2], in = pipe_of ("1\n2\n", 4);
    char path[32];
    assert_int_equal (pipe (slow), 0);
    snprintf (path, sizeof path, "/dev/fd/%d", slow[0]);
    struct jobsource *source = jobsource_new (&(struct jobsource_config){ .per_job = 1 });
    assert_int_equal (jobsource_add_file (source, "-", in, false), 0);
    assert_int_equal (jobsource_add_file (source, path, in, true), 0);
    struct arglist args;
    arglist_init (&args);
    assert_int_equal (jobsource_next (source, &args), 0);
    assert_int_equal (jobsource_next (source, &args), 0);
    assert_int_equal (write (slow[1], "x\n", 2), 2);
    assert_int_equal (jobsource_next (source, &args), 1);
    assert_string_equal (arglist_values (&args)[0], "1");
    assert_string_equal (arglist_values (&args)[1], "x");
    arglist_free (&args);
    jobsource_destroy (&source);
    close (in);
    close (slow[0]);
    close (slow[1]);
}

static void
refusals (void **state)
{
    (void) state;
    struct jobsource *source = jobsource_new (&(struct jobsource_config){ .per_job = 1 });
    struct arglist args;
    arglist_init (&args);
    int in = pipe_of ("a\0b\n", 4);
    assert_int_equal (jobsource_add_file (source, "-", in, false), 0);
    assert_int_equal (jobsource_add_file (source, "-", in, false), WEFT_EINVAL);
    assert_int_equal (jobsource_next (source, &args), WEFT_EPROTO);
    assert_non_null (strstr (weft_error (), "-0"));
    jobsource_destroy (&source);
    close (in);

    source = jobsource_new (&(struct jobsource_config){ .per_job = 1 });
    assert_int_equal (jobsource_add_file (source, "/", -1, false), WEFT_EINVAL);
    assert_true (jobsource_add_file (source, "/nonexistent/file", -1, false) < 0);
    assert_non_null (strstr (weft_error (), "/nonexistent/file"));
    jobsource_destroy (&source);

    assert_null (jobsource_new (&(struct jobsource_config){ .delimiter = "\\q" }));
    assert_null (jobsource_new (&(struct jobsource_config){ .colsep = "(a" }));
    assert_null (jobsource_new (&(struct jobsource_config){ .colsep = "" }));
    arglist_free (&args);
}

/*  A value without end must not fill the memory. */
static void
endless_value (void **state)
{
    (void) state;
    struct jobsource *source = jobsource_new (&(struct jobsource_config){ .per_job = 1, .delimiter = "x" });
    struct arglist args;
    arglist_init (&args);
    assert_int_equal (jobsource_add_file (source, "/dev/zero", -1, false), 0);
    assert_int_equal (jobsource_next (source, &args), WEFT_ETOOBIG);
    arglist_free (&args);
    jobsource_destroy (&source);
}

static void
delimiters (void **state)
{
    (void) state;
    char bytes[16];
    size_t size;
    assert_int_equal (records_delimiter ("\\n\\0\\x41\\101\\\\a", bytes, &size), 0);
    assert_int_equal (size, 6);
    assert_memory_equal (bytes, "\n\0AA\\a", 6);
    assert_int_equal (records_delimiter ("", bytes, &size), 0);
    assert_int_equal (size, 1);
    assert_int_equal (bytes[0], 0);
    assert_int_equal (records_delimiter ("\\x", bytes, &size), WEFT_EINVAL);
    assert_int_equal (records_delimiter ("12345678901234567", bytes, &size), WEFT_EINVAL);
}

static void
counting (void **state)
{
    (void) state;
    char path[256], *words[] = { "x", "y", "z" };
    strcpy (path, folder_path ("values"));
    folder_write ("values", "1\n2\n3\n4", 0600);
    struct jobsource *source = jobsource_new (&(struct jobsource_config){ .per_job = 5 });
    uint64_t count;
    assert_int_equal (jobsource_add_file (source, path, -1, false), 0);
    assert_true (jobsource_count (source, &count));
    assert_int_equal (count, 1);
    assert_int_equal (jobsource_add_words (source, words, 3, false), 0);
    assert_true (jobsource_count (source, &count));
    assert_int_equal (count, 3);        /*  12 combinations, five a job */
    int in = pipe_of ("1\n", 2);
    assert_int_equal (jobsource_add_file (source, "-", in, false), 0);
    assert_false (jobsource_count (source, &count));
    jobsource_destroy (&source);
    close (in);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (combinations),         cmocka_unit_test (streaming),
        cmocka_unit_test (waiting_within_a_job), cmocka_unit_test (waiting_in_step),
        cmocka_unit_test (refusals),
        cmocka_unit_test (endless_value),        cmocka_unit_test (delimiters),
        cmocka_unit_test (counting),
    };
    return cmocka_run_group_tests (tests, folder_setup, folder_teardown);
}
