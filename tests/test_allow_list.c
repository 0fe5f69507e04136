/*  test_allow_list.c - a list of peers is taken strictly, and lets in whom it says, for what it says */

#include "core/allow.h"
#include "tests/testing.h"

#define ALICE "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"
#define BOB "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
#define CAROL "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf8"

static int
parse (struct allow_list **list, const char *text)
{
    /*  A block of its very size, so that a sanitizer sees the least step past the end. */
    size_t size = strlen (text);
    char *exact = malloc (size ? size : 1);
    assert_non_null (exact);
    memcpy (exact, text, size);
    int rc = allow_list_parse (list, exact, size, "F");
    free (exact);
    return rc;
}

static void
lines (void **state)
{
    (void) state;
    struct allow_list *list;
    assert_int_equal (parse (&list, "#  comment\n\nalice " ALICE "\n \t!bob\t" BOB " req sub:a/b  pub \r\n#"), 0);
    assert_int_equal (allow_list_count (list), 2);
    const struct allow_entry *alice = allow_list_at (list, 0), *bob = allow_list_find (list, BOB);
    assert_ptr_equal (alice, allow_list_find (list, ALICE));
    assert_ptr_equal (alice, allow_list_find_name (list, "alice"));
    assert_ptr_equal (bob, allow_list_find_name (list, "bob"));
    assert_string_equal (alice->name, "alice");
    assert_string_equal (alice->key, ALICE);
    assert_false (alice->revoked);
    assert_string_equal (alice->may, "");
    assert_true (bob->revoked);
    assert_memory_equal (bob->may, "req\0sub:a/b\0pub\0", 17);
    assert_int_equal (allow_list_line (list, alice), 3);
    assert_int_equal (allow_list_line (list, bob), 4);
    assert_null (allow_list_find (list, CAROL));
    assert_null (allow_list_find (list, ""));
    assert_null (allow_list_find_name (list, "!bob"));
    allow_list_free (&list);
    assert_null (list);
    assert_int_equal (parse (&list, ""), 0);
    assert_int_equal (allow_list_count (list), 0);
    assert_null (allow_list_find (list, ALICE));
    allow_list_free (&list);
}

static void
bad_lines (void **state)
{
    (void) state;
    static const struct {
        const char *text, *words;
    } cases[] = {
        { "alice", "F:1: a public key" },
        { "alice \n", "F:1: a public key" },
        { "alice 123\n", "F:1: a public key" },
        { "alice " ALICE "x\n", "F:1: a public key" },
        { "alice %%%%%Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[Ia\n", "F:1: a public key" },
        { "\n! " ALICE "\n", "F:2: !: a line is" },
        { "!!alice " ALICE "\n", "that is no name" },
        { "a/b " ALICE "\n", "that is no name" },
        { "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa " ALICE "\n", "that is no name" },
        { ALICE " alice\n", "that is no name" },
        { "alice " ALICE "\nalice " BOB "\n", "F:2: alice stands in line 1" },
        { "alice " ALICE "\n!alice " BOB "\n", "F:2: alice stands in line 1" },
        { "alice " ALICE "\n\nbob " ALICE "\n", "F:3: that key stands in line 1 already, as alice" },
        { "alice " ALICE " reqq\n", "F:1: reqq: not what a peer may do; did you mean req" },
        { "alice " ALICE " req # fast\n", "F:1: #: not what" },
        { "alice " ALICE " req:x\n", "only sub: and pub:" },
        { "alice " ALICE " sub:\n", "has 1 to 245 bytes; for all topics write sub" },
        { "alice " ALICE " sub:\x7f\n", "cannot hold blanks" },
    };
    struct allow_list *list;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (parse (&list, cases[i].text) != WEFT_EPROTO)
            fail_msg ("%zu was taken", i);
        assert_null (list);
        assert_says (cases[i].words);
    }
    static const char zero[] = "alice " ALICE "\0 req\n";
    assert_int_equal (allow_list_parse (&list, zero, sizeof zero - 1, "F"), WEFT_EPROTO);
    assert_says ("F:1: a zero byte");
}

/*  What is longer than it may be is not taken for its beginning. */
static void
long_words (void **state)
{
    (void) state;
    struct allow_list *list;
    for (int size = 244; size < 600; size++) {
        char text[1024];
        int used = snprintf (text, sizeof text, "alice " ALICE " sub:%0*d\n", size, 0);
        assert_true (used < (int) sizeof text);
        assert_int_equal (parse (&list, text), size <= 245 ? 0 : WEFT_EPROTO);
        allow_list_free (&list);
    }
}

/*  As small as lines can be, which is what the room for them is reckoned by. */
static void
many (void **state)
{
    (void) state;
    enum { MANY = 2000 };
    char *text = malloc (MANY * 64 + 1), *at = text;
    assert_non_null (text);
    for (int i = 0; i < MANY; i++)
        at += sprintf (at, "%x %035d%05x\n", i, 0, i);
    struct allow_list *list;
    assert_int_equal (parse (&list, text), 0);
    assert_int_equal (allow_list_count (list), MANY);
    for (int i = 0; i < MANY; i++) {
        char key[KEY_TEXT];
        snprintf (key, sizeof key, "%035d%05x", 0, i);
        assert_ptr_equal (allow_list_find (list, key), allow_list_at (list, (size_t) i));
    }
    allow_list_free (&list);
    free (text);
}

static bool
topic (const struct allow_entry *entry, const char *command, const char *text)
{
    return allow_may_topic (entry, command, text, strlen (text));
}

static void
rights (void **state)
{
    (void) state;
    const struct allow_entry all = { .may = "" }, some = { .may = "req\0sub:a/\0sub:b\0pull\0pub\0" },
                             push = { .may = "push\0" };
    assert_true (allow_may (&all, "worker") && topic (&all, "sub", "") && topic (&all, "pub", "x"));
    assert_true (allow_may (&some, "req") && allow_may (&some, "sub") && allow_may (&some, "pull"));
    assert_true (allow_may (&some, "pub"));
    assert_false (allow_may (&some, "rep") || allow_may (&some, "push") || allow_may (&some, "re"));
    assert_false (allow_may (&some, "pul") || allow_may (&some, "reqq") || allow_may (&some, ""));
    assert_true (topic (&some, "sub", "a/") && topic (&some, "sub", "a/b") && topic (&some, "sub", "bc"));
    /*  A subscription is to all that begins with it. */
    assert_false (topic (&some, "sub", "") || topic (&some, "sub", "a") || topic (&some, "sub", "A/"));
    assert_true (topic (&some, "pub", "") && topic (&some, "pub", "anything") && topic (&some, "req", "x"));
    assert_false (topic (&push, "pub", "x") || topic (&push, "sub", "x") || allow_may (&push, "pub"));
    assert_false (allow_may_topic (&some, "sub", NULL, 0));
    assert_false (allow_may_topic (&some, "sub", "a/", 1));
}

static void
words (void **state)
{
    (void) state;
    static const char *const good[] = { "req",    "rep",        "pub",    "sub",   "push",  "pull",
                                        "worker", "ventilator", "bridge", "sub:a", "pub::", "sub:\xc3\xa9" };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_int_equal (allow_check_may (good[i]), 0);
    assert_int_equal (allow_check_may ("wroker"), WEFT_EINVAL);
    assert_says ("did you mean worker");
    assert_int_equal (allow_check_may (""), WEFT_EINVAL);
    assert_int_equal (allow_check_may ("sub:a b"), WEFT_EINVAL);
    assert_int_equal (allow_check_may ("pub:"), WEFT_EINVAL);
    assert_says ("for all topics write pub");
}

int
main (void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test (lines),      cmocka_unit_test (bad_lines),
                                        cmocka_unit_test (long_words), cmocka_unit_test (many),
                                        cmocka_unit_test (rights),     cmocka_unit_test (words) };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
