/*  test_hosts.c - machines as GNU parallel's --sshlogin writes them */

#include "cli/hosts.h"

#include "tests/folder.h"
#include "tests/testing.h"

static void
forms (void **state)
{
    (void) state;
    static const struct {
        const char *text, *login, *name;
        int slots;
        bool local;
    } cases[] = { { "n1", "n1", "n1", 0, false },
                  { " 4/n1 ", "n1", "n1", 4, false },
                  { "me@n1", "me@n1", "n1", 0, false },
                  { "12/me@n1.example.org", "me@n1.example.org", "n1.example.org", 12, false },
                  { ":", ":", ":", 0, true },
                  { "2/:", ":", ":", 2, true },
                  { "ssh -p 2222 me@n1", "ssh -p 2222 me@n1", "n1", 0, false },
                  { "/usr/bin/ssh n1", "/usr/bin/ssh n1", "n1", 0, false },
                  { "8//usr/bin/ssh -4 n1", "/usr/bin/ssh -4 n1", "n1", 8, false } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct hosts hosts = { .count = 0 };
        assert_int_equal (hosts_add (&hosts, cases[i].text), 0);
        assert_int_equal (hosts.count, 1);
        assert_string_equal (hosts.list[0].login, cases[i].login);
        assert_string_equal (hosts.list[0].name, cases[i].name);
        assert_int_equal (hosts.list[0].slots, cases[i].slots);
        assert_int_equal (hosts.list[0].local, cases[i].local);
        hosts_free (&hosts);
    }
}

static void
lists_and_files (void **state)
{
    (void) state;
    struct hosts hosts = { .count = 0 };
    assert_int_equal (hosts_add (&hosts, "n1,2/n2,,"), 0);
    assert_int_equal (hosts_add (&hosts, "n1"), 0);
    assert_int_equal (hosts.count, 3);
    folder_write ("good", "# the cluster\r\n\n  2/n3\r\n\t# n9\nn4\n5/n5", 0644);
    assert_int_equal (hosts_add (&hosts, folder_path ("good")), 0);
    assert_int_equal (hosts.count, 6);
    assert_string_equal (hosts.list[3].name, "n3");
    assert_int_equal (hosts.list[3].slots, 2);
    assert_string_equal (hosts.list[5].name, "n5");
    hosts_free (&hosts);
}

/*  Above all what ssh would take for an option of its own. */
static void
refusals (void **state)
{
    (void) state;
    static const char *const bad[] = { "-oProxyCommand=x", "4/-v", "me@-v", "ssh -p 2222 -v", "0/n1", "4097/n1", "3/",
                                       "me@", "n\0331", "n1,-v", "/nowhere/hosts", "./nowhere" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct hosts hosts = { .count = 0 };
        assert_true (hosts_add (&hosts, bad[i]) < 0);
        hosts_free (&hosts);
    }
    struct hosts hosts = { .count = 0 };
    char many[4 * (HOSTS_MAX + 1)];
    for (size_t i = 0; i < sizeof many; i += 4)
        memcpy (many + i, "n1,", 4), many[i + 3] = ',';
    many[sizeof many - 1] = '\0';
    assert_int_equal (hosts_add (&hosts, many), WEFT_ELIMIT);
    assert_int_equal (hosts.count, HOSTS_MAX);
    hosts_free (&hosts);
}

int
main (void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test (forms), cmocka_unit_test (lists_and_files),
                                        cmocka_unit_test (refusals) };
    return cmocka_run_group_tests (tests, folder_setup, folder_teardown);
}
