/*  test_command.c - commands as calls: finding, parsing, help, talk */

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/command.h"
#include "cli/help.h"
#include "tests/cli_support.h"

/*  A struct cli whose output and talk can be read back. */
struct fixture {
    struct cli cli;
    char *talk, output[65536];
    size_t talk_size;
};

static int
begin (void **state)
{
    struct fixture *self = calloc (1, sizeof *self);
    assert_non_null (self);
    self->cli.out = memfd_create ("output", MFD_CLOEXEC);
    self->cli.err = open_memstream (&self->talk, &self->talk_size);
    *state = self;
    return 0;
}

static int
end (void **state)
{
    struct fixture *self = *state;
    close (self->cli.out);
    fclose (self->cli.err);
    free (self->talk);
    free (self);
    return 0;
}

/*  Runs "weft WORDS"; the words are parted by spaces. */
static int
run (struct fixture *self, const char *words)
{
    char copy[256], *argv[16] = { "weft" }, *rest = copy;
    int argc = 1;
    snprintf (copy, sizeof copy, "%s", words);
    for (char *word; (word = strsep (&rest, " ")) && argc < 15;)
        if (*word)
            argv[argc++] = word;
    self->cli.name = NULL;
    rewind (self->cli.err);
    assert_int_equal (ftruncate (self->cli.out, 0), 0);
    lseek (self->cli.out, 0, SEEK_SET);
    int status = command_run (&self->cli, argc, argv);
    fflush (self->cli.err);
    ssize_t size = pread (self->cli.out, self->output, sizeof self->output - 1, 0);
    assert_true (size >= 0);
    self->output[size] = '\0';
    return status;
}

static void
test_no_command (void **state)
{
    struct fixture *self = *state;
    assert_int_equal (run (self, ""), EXIT_USAGE);
    assert_contains (self->talk, "weft help");
}

static void
test_unknown_command_suggests_the_nearest (void **state)
{
    struct fixture *self = *state;
    assert_int_equal (run (self, "versoin"), EXIT_USAGE);
    assert_contains (self->talk, "weft: there is no command 'versoin': did you mean 'version'?");
    assert_int_equal (run (self, "help versoin"), EXIT_USAGE);
    assert_contains (self->talk, "did you mean 'version'?");
    assert_int_equal (run (self, "--count 3"), EXIT_USAGE);
    assert_contains (self->talk, "options follow the command");
}

static void
test_unknown_option_suggests_the_nearest (void **state)
{
    struct fixture *self = *state;
    assert_int_equal (run (self, "version --jsno"), EXIT_USAGE);
    assert_contains (self->talk, "did you mean --json?");
    assert_string_equal (self->output, "");
}

/*  A protocol of weft bridge has a page of its own, as long as it is asked for behind bridge. */
static void
test_help_of_a_protocol (void **state)
{
    struct fixture *self = *state;
    assert_int_equal (run (self, "help bridge udp"), EXIT_OK);
    assert_contains (self->output, "usage: weft bridge udp ");
    assert_contains (self->output, "--amplify");
    assert_null (strstr (self->output, "--framing"));
    assert_int_equal (run (self, "bridge udp --help"), EXIT_OK);
    assert_null (strstr (self->output, "--framing"));
    assert_int_equal (run (self, "help bridge smtp"), EXIT_USAGE);
    assert_contains (self->talk, "no command 'smtp'");
    assert_int_equal (run (self, "help bridge req"), EXIT_OK);
    assert_contains (self->output, "usage: weft req ");
    assert_int_equal (run (self, "bridge udp --nosuch"), EXIT_USAGE);
    assert_contains (self->talk, "'weft help bridge udp'");
}

static void
test_version (void **state)
{
    struct fixture *self = *state;
    assert_int_equal (run (self, "version"), EXIT_OK);
    assert_contains (self->output, "weft " WEFT_VERSION "\nlibzmq ");
    assert_int_equal (run (self, "--version"), EXIT_OK);
    static const char *const libraries[] = { "czmq", "msgpack", "libuv", "openssl", "http-parser", "zlib", "sqlite" };
    for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++) {
        char line[64];
        snprintf (line, sizeof line, "\n%s ", libraries[i]);
        assert_contains (self->output, line);
    }
    assert_int_equal (run (self, "version --json"), EXIT_OK);
    assert_contains (self->output, "{\"weft\":\"" WEFT_VERSION "\"");
    assert_int_equal (run (self, "version 2"), EXIT_USAGE);
}

static void
test_help_of_every_command (void **state)
{
    struct fixture *self = *state;
    char words[64], page[65536];
    assert_int_equal (run (self, "--help"), EXIT_OK);
    strcpy (page, self->output);
    for (const struct command *const *each = commands; *each; each++) {
        assert_contains (page, (*each)->summary);
        assert_non_null ((*each)->group);
        snprintf (words, sizeof words, "help %s", (*each)->name);
        assert_int_equal (run (self, words), EXIT_OK);
        assert_contains (self->output, (*each)->usage);
        snprintf (words, sizeof words, "%s --help", (*each)->name);
        assert_int_equal (run (self, words), EXIT_OK);
        assert_contains (self->output, (*each)->usage);
        snprintf (words, sizeof words, "help --man %s", (*each)->name);
        assert_int_equal (run (self, words), EXIT_OK);
        assert_contains (self->output, ".Sh EXIT STATUS");
    }
}

static bool
is_apart (const struct command *command, const struct option_group *group, const struct option_group *groups)
{
    const struct command_table *table = command->tables;
    for (const struct option_group *each = groups; table && table->title && each != group; each++)
        table++;
    return table && table->title && table->apart;
}

/*  An option that stands in two tables of a command would never be found in the second. */
static void
test_no_option_twice (void **state)
{
    (void) state;
    for (const struct command *const *command = commands; *command; command++) {
        struct option_group groups[COMMAND_TABLES_MAX + 2];
        command_groups (*command, groups);
        char letters[256] = { 0 };
        for (const struct option_group *group = groups; group->table; group++)
            for (const struct option *each = group->table; each->name; each++) {
                for (const struct option_group *other = group + 1; other->table; other++)
                    if (option_find (other->table, each->name)
                        && !(is_apart (*command, group, groups) && is_apart (*command, other, groups)))
                        fail_msg ("weft %s has --%s twice", (*command)->name, each->name);
                if (each->letter && letters[(unsigned char) each->letter]++)
                    fail_msg ("weft %s has -%c twice", (*command)->name, each->letter);
            }
    }
}

static void
test_manuals_and_completion (void **state)
{
    struct fixture *self = *state;
    assert_int_equal (run (self, "help --man weft"), EXIT_OK);
    assert_contains (self->output, ".Xr weft-version 1");
    assert_int_equal (run (self, "help --man weft-options"), EXIT_OK);
    assert_contains (self->output, "Fl \\-json");
    assert_int_equal (run (self, "help --man"), EXIT_USAGE);
    assert_int_equal (run (self, "help --completion bash"), EXIT_OK);
    assert_contains (self->output, "complete -o default -F _weft weft");
    assert_int_equal (run (self, "help --completion fish"), EXIT_USAGE);
    assert_contains (self->talk, "bash");
}

static void
test_statuses (void **state)
{
    (void) state;
    assert_int_equal (cli_status (0), EXIT_OK);
    assert_int_equal (cli_status (WEFT_EEND), EXIT_OK);
    assert_int_equal (cli_status (WEFT_EINVAL), EXIT_USAGE);
    assert_int_equal (cli_status (WEFT_ETIMEOUT), EXIT_TIMEOUT);
    assert_int_equal (cli_status (WEFT_ENOPEER), EXIT_NO_PEER);
    assert_int_equal (cli_status (WEFT_EACCES), EXIT_NOT_AUTHORISED);
    assert_int_equal (cli_status (WEFT_EIO), EXIT_ERROR);
}

static void
test_quiet_and_verbose (void **state)
{
    struct fixture *self = *state;
    assert_int_equal (run (self, "version -qvv"), EXIT_OK);
    assert_true (self->cli.quiet);
    assert_int_equal (self->cli.verbose, 2);
    cli_note (&self->cli, "a note");
    cli_detail (&self->cli, "a detail");
    cli_log (&self->cli, WEFT_LOG_WARNING, "a warning");
    cli_log (&self->cli, WEFT_LOG_INFO, "an event");
    fflush (self->cli.err);
    assert_contains (self->talk, "weft version: a detail\n");
    assert_contains (self->talk, "an event");
    assert_null (strstr (self->talk, "a note"));
    assert_null (strstr (self->talk, "a warning"));
}

static void
test_reader_gone (void **state)
{
    (void) state;
    int ends[2];
    assert_int_equal (pipe (ends), 0);
    assert_int_equal (cli_write (ends[1], "x", 1), 0);
    close (ends[0]);
    assert_int_equal (cli_write (ends[1], "x", 1), WEFT_EEND);
    close (ends[1]);
    assert_int_equal (cli_write (-1, "x", 1), WEFT_EIO);
}

int
main (void)
{
    signal (SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown (test_no_command, begin, end),
        cmocka_unit_test_setup_teardown (test_unknown_command_suggests_the_nearest, begin, end),
        cmocka_unit_test_setup_teardown (test_unknown_option_suggests_the_nearest, begin, end),
        cmocka_unit_test_setup_teardown (test_help_of_a_protocol, begin, end),
        cmocka_unit_test_setup_teardown (test_version, begin, end),
        cmocka_unit_test_setup_teardown (test_help_of_every_command, begin, end),
        cmocka_unit_test (test_no_option_twice),
        cmocka_unit_test_setup_teardown (test_manuals_and_completion, begin, end),
        cmocka_unit_test (test_statuses),
        cmocka_unit_test_setup_teardown (test_quiet_and_verbose, begin, end),
        cmocka_unit_test (test_reader_gone),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
