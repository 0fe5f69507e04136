/*  test_allow.c - a list of peers follows its file, and lets nobody in when that is bad */

#include <unistd.h>

#include "core/allow.h"
#include "tests/folder.h"
#include "tests/testing.h"

#define ALICE "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"
#define BOB "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"

static char list_path[256];
static int lines;
static char last[1024];

static void
keep_line (void *arg, int level, const char *text)
{
    (void) arg, (void) level;
    lines++;
    snprintf (last, sizeof last, "%s", text);
}

static const struct log logged = { keep_line, NULL };

/*  Under a new name and into its place, as weft key does. */
static void
replace (const char *text, unsigned mode)
{
    folder_write ("new", text, mode);
    assert_int_equal (rename (folder_path ("new"), list_path), 0);
}

static enum allow_verdict
ask (struct allow *allow, const char *key, const char *command)
{
    char name[KEY_NAME_MAX + 1];
    return allow_ask (allow, key, command, NULL, 0, name);
}

static void
verdicts (void **state)
{
    (void) state;
    struct allow *allow;
    char name[KEY_NAME_MAX + 1];
    replace ("alice " ALICE " req sub:a\n!bob " BOB "\n", 0600);
    assert_int_equal (allow_open (&allow, list_path), 0);
    assert_string_equal (allow_path (allow), list_path);
    assert_int_equal (allow_ask (allow, ALICE, "req", NULL, 0, name), ALLOW_YES);
    assert_string_equal (name, "alice");
    assert_int_equal (allow_ask (allow, ALICE, "push", NULL, 0, NULL), ALLOW_NOT_FOR);
    assert_int_equal (allow_ask (allow, ALICE, "sub", NULL, 0, NULL), ALLOW_YES);
    assert_int_equal (allow_ask (allow, ALICE, "sub", "ab", 2, NULL), ALLOW_YES);
    assert_int_equal (allow_ask (allow, ALICE, "sub", "", 0, NULL), ALLOW_NOT_FOR);
    assert_int_equal (allow_ask (allow, BOB, "req", NULL, 0, name), ALLOW_REVOKED);
    assert_string_equal (name, "bob");
    assert_int_equal (allow_ask (allow, "", "req", NULL, 0, name), ALLOW_UNKNOWN);
    assert_string_equal (name, "");
    allow_release (&allow);
    assert_null (allow);
}

static void
follows (void **state)
{
    (void) state;
    struct allow *allow;
    lines = 0;
    replace ("alice " ALICE "\n", 0600);
    assert_int_equal (allow_open (&allow, list_path), 0);
    uint64_t generation = allow_generation (allow);
    assert_int_equal (allow_refresh (allow, &logged), 0);
    assert_int_equal (allow_generation (allow), generation);
    assert_int_equal (lines, 0);

    replace ("alice " ALICE "\nbob " BOB "\n", 0600);
    assert_int_equal (ask (allow, BOB, "req"), ALLOW_UNKNOWN);
    assert_int_equal (allow_refresh (allow, &logged), 1);
    assert_int_equal (allow_generation (allow), ++generation);
    assert_int_equal (ask (allow, BOB, "req"), ALLOW_YES);
    assert_int_equal (lines, 1);
    assert_non_null (strstr (last, "2 peers"));

    /*  The same words in another file are nothing new. */
    replace ("alice " ALICE "\nbob " BOB "\n", 0600);
    assert_int_equal (allow_refresh (allow, &logged), 0);
    assert_int_equal (allow_generation (allow), generation);

    assert_int_equal (allow_file_revoke (list_path, "alice", NULL), 0);
    assert_int_equal (allow_refresh (allow, &logged), 1);
    assert_int_equal (ask (allow, ALICE, "req"), ALLOW_REVOKED);
    allow_release (&allow);
}

/*  Written in place, to the same size, within one tick of the file system's clock. */
static void
at_once (void **state)
{
    (void) state;
    struct allow *allow;
    folder_write ("allowed", " alice " ALICE "\n", 0600);
    assert_int_equal (allow_open (&allow, list_path), 0);
    for (int i = 0; i < 3; i++) {
        folder_write ("allowed", i & 1 ? " alice " ALICE "\n" : "!alice " ALICE "\n", 0600);
        enum allow_verdict expected = i & 1 ? ALLOW_YES : ALLOW_REVOKED;
        for (int tries = 0; tries < 10000 && ask (allow, ALICE, "req") != expected; tries++)
            if (allow_refresh (allow, &logged) == 0)
                usleep (1000);
        assert_int_equal (ask (allow, ALICE, "req"), expected);
    }
    allow_release (&allow);
}

static void
closes (void **state)
{
    (void) state;
    struct allow *allow;
    char text[512];
    lines = 0;
    assert_int_equal (allow_open (&allow, list_path), WEFT_EIO);
    assert_non_null (allow);
    assert_says ("there is no such list");
    assert_int_equal (ask (allow, ALICE, "req"), ALLOW_CLOSED);
    assert_int_equal (allow_refresh (allow, &logged), 0);
    replace ("alice " ALICE "\n", 0600);
    assert_int_equal (allow_refresh (allow, &logged), 1);
    assert_int_equal (ask (allow, ALICE, "req"), ALLOW_YES);

    static const struct {
        const char *text, *words;
        unsigned mode;
    } bad[] = {
        { "alice " ALICE "\nbob\n", "allowed:2:", 0600 },
        { "alice " ALICE "\n", "chmod 640", 0660 },
        { "alice " ALICE "\nbob", "allowed:2:", 0600 },
    };
    for (size_t i = 0; i < 3; i++) {
        uint64_t generation = allow_generation (allow);
        lines = 0;
        replace (bad[i].text, bad[i].mode);
        assert_int_equal (allow_refresh (allow, &logged), 1);
        assert_int_equal (allow_generation (allow), generation + 1);
        assert_int_equal (ask (allow, ALICE, "req"), ALLOW_CLOSED);
        assert_int_equal (lines, 1);
        assert_non_null (strstr (last, bad[i].words));
        assert_non_null (strstr (last, "nobody is let in until"));
        allow_explain (allow, ALLOW_CLOSED, ALICE, "", "req", text, sizeof text);
        assert_non_null (strstr (text, bad[i].words));
        /*  Each trouble is said once. */
        replace (bad[i].text, bad[i].mode);
        assert_int_equal (allow_refresh (allow, &logged), 0);
        assert_int_equal (lines, 1);
    }
    unlink (list_path);
    assert_int_equal (allow_refresh (allow, &logged), 1);
    assert_int_equal (ask (allow, ALICE, "req"), ALLOW_CLOSED);
    replace ("", 0600);
    assert_int_equal (allow_refresh (allow, &logged), 1);
    assert_int_equal (ask (allow, ALICE, "req"), ALLOW_UNKNOWN);
    allow_release (&allow);
}

static void
shared (void **state)
{
    (void) state;
    struct allow *first, *second, *other;
    replace ("alice " ALICE "\n", 0600);
    assert_int_equal (allow_open (&first, list_path), 0);
    assert_int_equal (allow_open (&second, list_path), 0);
    assert_ptr_equal (first, second);
    assert_int_equal (allow_open (&other, folder_path ("none")), WEFT_EIO);
    assert_ptr_not_equal (first, other);
    struct allow *third = allow_retain (second);
    allow_release (&first);
    allow_release (&second);
    assert_int_equal (ask (third, ALICE, "req"), ALLOW_YES);
    allow_release (&third);
    allow_release (&third);
    allow_release (&other);
}

static void
explains (void **state)
{
    (void) state;
    struct allow *allow;
    char text[512];
    setenv ("WEFT_KEYS", folder_path (""), 1);
    replace ("alice " ALICE " req\n", 0600);
    assert_int_equal (allow_open (&allow, list_path), 0);
    allow_explain (allow, ALLOW_UNKNOWN, ALICE, "", "req", text, sizeof text);
    assert_non_null (strstr (text, "weft key allow NAME '" ALICE "' --allow /tmp"));
    allow_explain (allow, ALLOW_REVOKED, ALICE, "alice", "req", text, sizeof text);
    assert_non_null (strstr (text, "weft key allow alice '" ALICE "'"));
    allow_explain (allow, ALLOW_NOT_FOR, ALICE, "alice", "push", text, sizeof text);
    assert_non_null (strstr (text, "not to push"));
    assert_non_null (strstr (text, "--for push"));
    allow_release (&allow);
    /*  The list that weft key edits by itself needs no option. */
    char own[KEY_PATH_MAX];
    assert_int_equal (key_path (own, "allowed", ""), 0);
    assert_int_equal (allow_open (&allow, own), 0);
    allow_explain (allow, ALLOW_UNKNOWN, ALICE, NULL, "req", text, sizeof text);
    assert_null (strstr (text, "--allow"));
    allow_explain (allow, ALLOW_UNKNOWN, "nonsense", NULL, "req", text, 20);
    assert_int_equal (strlen (text), 19);
    allow_release (&allow);
}

static int
begin (void **state)
{
    (void) state;
    int rc = folder_make (NULL);
    snprintf (list_path, sizeof list_path, "%s", folder_path ("allowed"));
    return rc;
}

#define TEST(name) cmocka_unit_test_setup_teardown (name, begin, folder_teardown)

int
main (void)
{
    const struct CMUnitTest tests[] = { TEST (verdicts), TEST (follows), TEST (at_once),
                                        TEST (closes),   TEST (shared),  TEST (explains) };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
