/*  test_jobnote.c - the values that a job was made of, as a text that is kept beside it */

#include "cli/jobnote.h"
#include "tests/testing.h"

static struct arglist args, names, args2, names2;
static struct buffer note;

static void
begin (void)
{
    arglist_init (&args);
    arglist_init (&names);
    arglist_init (&args2);
    arglist_init (&names2);
    buffer_init (&note, 0);
}

static void
finish (void)
{
    arglist_free (&args);
    arglist_free (&names);
    arglist_free (&args2);
    arglist_free (&names2);
    buffer_free (&note);
}

static void
add (struct arglist *list, const char *text)
{
    assert_int_equal (arglist_add (list, text, strlen (text)), 0);
}

static void
same (struct arglist *a, struct arglist *b)
{
    assert_int_equal (a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        assert_string_equal (arglist_values (a)[i], arglist_values (b)[i]);
        assert_int_equal (a->columns[i], b->columns[i]);
    }
}

static void
there_and_back (const char *command)
{
    assert_int_equal (jobnote_write (&args, &names, command, &note), 0);
    assert_int_equal (jobnote_read (buffer_data (&note), buffer_size (&note), command, &args2, &names2), 0);
    same (&args, &args2);
    same (&names, &names2);
}

static void
values (void **state)
{
    (void) state;
    begin ();
    there_and_back ("echo");
    arglist_row (&args);
    add (&args, "a b\n");
    add (&args, "");
    arglist_row (&args);
    add (&args, "+1n0");
    there_and_back ("echo");
    add (&names, "x");
    add (&names, "");
    there_and_back ("echo");
    finish ();
}

/*  Most jobs of weft ventilator: nothing is kept twice. */
static void
its_command (void **state)
{
    (void) state;
    begin ();
    add (&args, "echo a");
    there_and_back ("echo a");
    assert_int_equal (buffer_size (&note), 0);
    there_and_back ("echo b");
    assert_true (buffer_size (&note) > 0);
    finish ();
}

/*  A note may be any program's. */
static void
foreign (void **state)
{
    (void) state;
    static const char *const notes[] = { "x", ("1a\0" "1"), "\0", "1a\0\0" };
    static const size_t sizes[] = { 1, 4, 1, 4 };
    begin ();
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        assert_int_equal (jobnote_read (notes[i], sizes[i], "echo", &args, NULL), WEFT_EPROTO);
    assert_int_equal (jobnote_read ("?later\0" "1a", 10, "echo", &args, NULL), 0);
    assert_int_equal (args.count, 1);
    finish ();
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (values),
        cmocka_unit_test (its_command),
        cmocka_unit_test (foreign),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
