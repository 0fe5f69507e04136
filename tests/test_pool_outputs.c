/*  test_pool_outputs.c - what attempts wrote is where its place says, whole, in order, once */

#include <sys/stat.h>
#include <unistd.h>

#include "cli/outputfile.h"
#include "codec/pool_wire.h"
#include "core/clock.h"
#include "patterns/pool_outputs.h"
#include "tests/folder.h"
#include "tests/testing.h"

static struct ledger *ledger;
static struct ledger_found found;
static struct outputs *outputs;
static char text[1 << 16];
static uint32_t left;           /*  records of a report that are still to come */

static int64_t
attempt (int number)
{
    return POOL_ATTEMPT (found.epoch, number);
}

/*  A head; `file_max` 0 is the default. */
static void
begin (int64_t file_max)
{
    struct ledger_config config = { .durability = LEDGER_GROUP, .before = outfiles_sync };
    left = UINT32_MAX;
    assert_int_equal (outputs_new (&outputs, folder_path ("a/b"), file_max), 0);
    config.before_arg = outputs_files (outputs);
    config.outputs = outputs_files (outputs)->folder;
    assert_int_equal (ledger_open (&ledger, folder_path ("ledger"), &config, &found), 0);
    outputs_begin (outputs, ledger, &found);
}

static void
end (void)
{
    assert_int_equal (ledger_close (&ledger), 0);
    outputs_destroy (&outputs);
    assert_null (outputs);
}

static void
add (uint64_t job, int64_t number, uint64_t report, int stream, const char *words)
{
    struct outputs_part part = { .job = job, .attempt = number, .report = report, .left = --left, .stream = stream,
                                 .data = words, .size = strlen (words) };
    assert_int_equal (outputs_add (outputs, &part), 0);
}

static int
take_text (void *arg, const struct output_record *record)
{
    size_t used = strlen (text);
    (void) arg;
    assert_true (used + record->size + 2 < sizeof text);
    snprintf (text + used, sizeof text - used, "%d%.*s", record->stream, (int) record->size, record->data);
    return 0;
}

/*  What stands there: 1 before what is of standard output, 2 before the other. */
static const char *
read_place (const char *place, uint64_t job)
{
    struct outputfile file = { .fd = 0 };
    text[0] = '\0';
    if (outputfile_read (&file, folder_path ("a/b"), place, job, take_text, NULL))
        snprintf (text, sizeof text, "%s", weft_error ());
    outputfile_close (&file);
    return text;
}

static struct outputs_ended
ended (uint64_t job, int64_t number)
{
    struct outputs_ended how;
    assert_int_equal (outputs_end (outputs, job, number, &how), 0);
    return how;
}

static void
one_report (void **state)
{
    (void) state;
    begin (0);
    add (1, attempt (1), 1, 1, "one ");
    add (2, attempt (1), 1, 2, "oops");
    add (1, attempt (1), 1, 1, "two");
    add (2, attempt (1), 1, 1, "fine");
    struct outputs_ended first = ended (1, attempt (1)), second = ended (2, attempt (1)), none = ended (3, attempt (1));
    assert_false (first.has_piece);
    assert_int_equal (first.bytes, 7);
    assert_string_equal (none.place, "");
    assert_int_equal (outfiles_write (outputs_files (outputs)), 0);
    assert_string_equal (read_place (first.place, 1), "1one two");
    assert_string_equal (read_place (second.place, 2), "2oops1fine");
    assert_non_null (strstr (read_place (second.place, 1), "another job"));
    end ();
}

/*  Jobs that write over many reports: each has a piece of each report, and of one that has ended there is no more. */
static void
many_reports (void **state)
{
    struct ledger_piece piece;
    char places[3][LEDGER_PLACE_MAX];
    (void) state;
    begin (0);
    for (uint64_t report = 1; report <= 3; report++) {
        add (1, attempt (1), report, 1, "a");
        add (2, attempt (1), report, 1, "b");
        add (1, attempt (1), report, 1, "c");
        if (report == 3)
            break;
        for (int i = 0; i < 2; i++) {
            assert_int_equal (outputs_take_piece (outputs, &piece), 1);
            assert_int_equal (piece.report, report);
            assert_int_equal (piece.bytes, piece.job == 1 ? 2 : 1);
            assert_int_equal (piece.attempt, attempt (1));
            if (piece.job == 1)
                strcpy (places[report - 1], piece.place);
        }
        assert_int_equal (outputs_take_piece (outputs, &piece), 0);
    }
    struct outputs_ended how = ended (1, attempt (1));
    assert_true (how.has_piece);
    assert_int_equal (how.piece.report, 3);
    assert_int_equal (how.piece.bytes, 2);
    assert_int_equal (how.bytes, 6);
    strcpy (places[2], how.place);
    outputs_forget (outputs, 2, 0);
    assert_int_equal (outputs_take_piece (outputs, &piece), 0);
    assert_int_equal (outfiles_write (outputs_files (outputs)), 0);
    for (int i = 0; i < 3; i++)
        assert_string_equal (read_place (places[i], 1), "1ac");
    end ();
}

/*  Each attempt has its own, in whatever order they come. */
static void
attempts (void **state)
{
    (void) state;
    begin (0);
    add (1, attempt (1), 1, 1, "fi");
    add (1, attempt (2), 2, 1, "good");
    add (1, attempt (1), 1, 1, "rst");
    struct outputs_ended first = ended (1, attempt (1)), how = ended (1, attempt (2));
    assert_int_equal (outfiles_write (outputs_files (outputs)), 0);
    assert_string_equal (read_place (first.place, 1), "1first");
    assert_string_equal (read_place (how.place, 1), "1good");
    assert_string_equal (ended (1, attempt (1)).place, "");
    for (int i = 1; i <= 3; i++)
        add (1, attempt (i), 3, 1, "void");
    assert_string_equal (ended (1, 0).place, "");
    outputs_forget (outputs, 1, attempt (2));
    assert_int_equal (outputs_gathered (outputs), 8);
    outputs_forget (outputs, 1, 0);
    assert_int_equal (outputs_gathered (outputs), 0);
    assert_string_equal (ended (1, attempt (3)).place, "");
    end ();
}

/*  A worker that was given up and is back tells again what it told, from some report on. */
static void
told_again (void **state)
{
    (void) state;
    begin (0);
    for (int times = 0; times < 2; times++) {
        left = 10;
        add (1, attempt (1), 1, 1, "a");
        add (1, attempt (1), 1, 2, "b");
        add (1, attempt (1), 2, 1, "c");
        add (1, attempt (1), 2, 1, "d");
    }
    add (1, attempt (1), 2, 1, "e");
    struct outputs_ended how = ended (1, attempt (1));
    assert_int_equal (outfiles_write (outputs_files (outputs)), 0);
    assert_int_equal (how.bytes, 5);
    assert_string_equal (read_place (how.place, 1), "1a2b1cde");
    end ();
}

/*  There is a limit to those that may never count. */
static void
strays (void **state)
{
    struct outputs_part part = { .job = 1, .report = 1, .stream = 1, .data = "x", .size = 1, .stray = true };
    (void) state;
    begin (0);
    for (int i = 1; i <= 100; i++) {
        part.attempt = attempt (i);
        assert_int_equal (outputs_add (outputs, &part), 0);
    }
    assert_in_range (outputs_gathered (outputs), 10, 99);
    assert_string_equal (ended (1, attempt (100)).place, "");
    part.stray = false;
    assert_int_equal (outputs_add (outputs, &part), 0);
    assert_string_not_equal (ended (1, attempt (100)).place, "");
    part.stray = true;
    for (part.job = 2; part.job <= 70000; part.job++)
        assert_int_equal (outputs_add (outputs, &part), 0);
    assert_string_not_equal (ended (2, attempt (100)).place, "");
    assert_string_equal (ended (70000, attempt (100)).place, "");
    end ();
}

/*  The head before had a report, and the disk too, but nobody heard of that: it comes again. */
static void
next_head (void **state)
{
    struct ledger_job job = { .id = 1, .spec = "", .spec_size = 0 };
    struct ledger_piece piece;
    char first[LEDGER_PLACE_MAX];
    (void) state;
    begin (0);
    int64_t old = attempt (1);
    assert_int_equal (ledger_add_job (ledger, &job, NULL), 0);
    add (1, old, 7, 1, "early ");
    assert_int_equal (outputs_take_piece (outputs, &piece), 1);
    strcpy (first, piece.place);
    assert_int_equal (outfiles_write (outputs_files (outputs)), 0);
    assert_int_equal (ledger_add_piece (ledger, &piece, NULL), 0);
    add (1, old, 8, 1, "lost with the head");
    end ();
    begin (0);
    assert_int_not_equal (old, attempt (1));
    add (1, old, 7, 1, "early ");
    assert_int_equal (outputs_take_piece (outputs, &piece), 0);
    add (1, old, 8, 1, "late");
    struct outputs_ended how = ended (1, old);
    assert_true (how.has_piece);
    assert_int_equal (how.bytes, 10);
    assert_int_equal (outfiles_write (outputs_files (outputs)), 0);
    assert_string_equal (read_place (first, 1), "1early ");
    assert_string_equal (read_place (how.place, 1), "1late");
    /*  One that writes no more: its last piece is its place. */
    add (1, old, 7, 1, "early ");
    assert_string_equal (ended (1, old).place, first);
    assert_string_equal (ended (1, old).place, first);
    end ();
}

static void
files (void **state)
{
    char places[20][LEDGER_PLACE_MAX];
    struct stat status;
    (void) state;
    begin (200);
    for (uint64_t job = 1; job <= 20; job++) {
        add (job, attempt (1), job, 1, "some words that a job wrote");
        strcpy (places[job - 1], ended (job, attempt (1)).place);
        assert_int_equal (outfiles_write (outputs_files (outputs)), 0);
    }
    for (uint64_t job = 1; job <= 20; job++)
        assert_string_equal (read_place (places[job - 1], job), "1some words that a job wrote");
    assert_non_null (strstr (places[0], "-1-1.output:"));
    assert_non_null (strstr (places[19], "-1-10.output:"));
    char name[LEDGER_PLACE_MAX + 8];
    snprintf (name, sizeof name, "a/b/%.*s", (int) strcspn (places[3], ":"), places[3]);
    assert_int_equal (stat (folder_path (name), &status), 0);
    assert_true (status.st_size <= 200);
    end ();
}

/*  A file cut off anywhere: what stands before is read, what does not is said to be missing. */
static void
cut_off (void **state)
{
    char name[LEDGER_PLACE_MAX + 8];
    struct stat status;
    (void) state;
    begin (0);
    add (1, attempt (1), 1, 1, "first");
    struct outputs_ended first = ended (1, attempt (1));
    add (2, attempt (1), 1, 1, "second");
    struct outputs_ended second = ended (2, attempt (1));
    assert_int_equal (outfiles_write (outputs_files (outputs)), 0);
    snprintf (name, sizeof name, "a/b/%.*s", (int) strcspn (first.place, ":"), first.place);
    assert_int_equal (stat (folder_path (name), &status), 0);
    off_t start = atol (second.place + strcspn (second.place, ":") + 1);
    for (off_t size = status.st_size - 1; size >= start; size--) {
        assert_int_equal (truncate (folder_path (name), size), 0);
        assert_non_null (strstr (read_place (second.place, 2), "ends there"));
        assert_string_equal (read_place (first.place, 1), "1first");
    }
    end ();
}

static void
refusals (void **state)
{
    (void) state;
    static const char *const places[] = { "", "x", "x:1", "x:1:", "x:1:2x", "../x:0:1", "a/b:0:1", ".x:0:1", ":0:1",
                                          "x:-1:1", "x:1:99999999999999999999" };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (!strstr (read_place (places[i], 1), "is no place"))
            fail_msg ("%s: %s", places[i], text);
    assert_non_null (strstr (read_place ("nobody.output:0:1", 1), "it is not there"));
    assert_int_equal (outputs_new (&outputs, "", 0), WEFT_EINVAL);
    folder_write ("file", "x", 0600);
    assert_true (outputs_new (&outputs, folder_path ("file"), 0) < 0);
    assert_says ("cannot keep output in");
    assert_true (outputs_new (&outputs, folder_path ("file/below"), 0) < 0);
    assert_null (outputs);
}

/*  A copy of a ledger goes on beside it: neither writes into the other's file. */
static void
copies (void **state)
{
    (void) state;
    begin (0);
    add (1, attempt (1), 1, 1, "mine");
    struct outputs_ended how = ended (1, attempt (1));
    assert_int_equal (outfiles_write (outputs_files (outputs)), 0);
    struct outputs *copy;
    struct outputs_ended other;
    assert_int_equal (outputs_new (&copy, folder_path ("a/b"), 0), 0);
    outputs_begin (copy, ledger, &found);
    struct outputs_part part = { .job = 1, .attempt = attempt (1), .report = 1, .stream = 1, .data = "yours",
                                 .size = 5 };
    assert_int_equal (outputs_add (copy, &part), 0);
    assert_int_equal (outputs_end (copy, 1, attempt (1), &other), 0);
    assert_int_equal (outfiles_write (outputs_files (copy)), WEFT_EIO);
    assert_says ("is there already");
    outputs_destroy (&copy);
    assert_string_equal (read_place (how.place, 1), "1mine");
    end ();
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown (test, folder_setup, folder_teardown)

int
main (void)
{
    const struct CMUnitTest tests[] = { IN_FOLDER (one_report), IN_FOLDER (many_reports), IN_FOLDER (attempts),
                                        IN_FOLDER (told_again), IN_FOLDER (strays), IN_FOLDER (next_head),
                                        IN_FOLDER (files), IN_FOLDER (cut_off), IN_FOLDER (refusals),
                                        IN_FOLDER (copies) };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
