/*  test_subscriptions.c - the table of who subscribed to what: against a simple one, and by what it costs */

#include "tests/testing.h"

#include "core/error.h"
#include "core/subscriptions.h"

static struct subscriptions table;
static unsigned seed;           /*  of the history that is being tried; 0: none */

static int
set_up (void **state)
{
    (void) state;
    return subscriptions_init (&table, true);
}

static int
tear_down (void **state)
{
    (void) state;
    if (seed)
        print_error ("seed %u\n", seed);
    subscriptions_free (&table);
    return 0;
}

static void
add (struct subscriber *who, const char *topic)
{
    assert_int_equal (subscriptions_add (&table, who, topic, strlen (topic)), 0);
}

static void
take_away (struct subscriber *who, const char *text)
{
    struct topic *topic = subscriptions_find (&table, text, strlen (text));
    assert_non_null (topic);
    assert_int_equal (subscriptions_remove (&table, who, topic), 0);
}

/*  The next change, as "+topic" or "-topic". */
static const char *
change (void)
{
    static char text[64];
    if (!table.changes)
        return "none";
    assert_true (table.waiting > 0);
    snprintf (text, sizeof text, "%c%.*s", *table.changes->bytes ? '+' : '-', (int) table.changes->size - 1,
              (const char *) table.changes->bytes + 1);
    subscriptions_told (&table);
    return text;
}

static void
a_subscriber_has_a_topic_once (void **state)
{
    struct subscriber a = { 0 }, b = { 0 };
    (void) state;
    add (&a, "x");
    add (&a, "x");
    add (&b, "x");
    assert_int_equal (a.count, 1);
    assert_int_equal (subscriptions_find (&table, "x", 1)->count, 2);
    take_away (&a, "x");
    take_away (&a, "x");            /*  it has it no more */
    assert_int_equal (subscriptions_find (&table, "x", 1)->count, 1);
    take_away (&b, "x");
    assert_null (subscriptions_find (&table, "x", 1));
    const char *const told[] = { "+x", "+x", "-x", "-x", "none" };
    for (size_t i = 0; i < sizeof told / sizeof *told; i++)
        assert_string_equal (change (), told[i]);
}

static void
the_first_and_the_last_are_told_unless_verbose (void **state)
{
    struct subscriber a = { 0 }, b = { 0 };
    (void) state;
    table.verbose = false;
    add (&a, "x");
    add (&b, "x");
    add (NULL, "x");
    add (&b, "");
    assert_int_equal (subscriptions_leave (&table, &a), 0);
    take_away (NULL, "x");
    assert_int_equal (subscriptions_leave (&table, &b), 0);
    assert_int_equal (table.waiting, 4);
    assert_string_equal (change (), "+x");
    assert_string_equal (change (), "+");
    assert_string_equal (change (), "-");           /*  of what one has, the newest first */
    assert_string_equal (change (), "-x");
    assert_string_equal (change (), "none");
}

static void
who_is_not_known_may_have_it_several_times (void **state)
{
    struct subscriber a = { 0 };
    (void) state;
    add (NULL, "x");
    add (&a, "x");
    add (NULL, "x");
    assert_int_equal (subscriptions_find (&table, "x", 1)->count, 3);
    assert_int_equal (subscriptions_find (&table, "x", 1)->unknown, 2);
    assert_int_equal (subscriptions_leave (&table, &a), 0);
    take_away (NULL, "x");
    take_away (NULL, "x");
    assert_null (subscriptions_find (&table, "x", 1));
    assert_int_equal (table.memory, 0);
}

static void
what_is_passed_over_costs_until_the_end (void **state)
{
    struct subscriber a = { 0 };
    (void) state;
    add (&a, "kept");
    int64_t before = table.memory, own = a.memory;
    subscriptions_pass_over (&table, &a, 300);
    assert_int_equal (a.passed_over, 1);
    assert_true (table.memory >= before + 300 && table.memory - before == a.memory - own);
    take_away (&a, "kept");
    assert_true (table.memory >= 300);
    assert_int_equal (subscriptions_leave (&table, &a), 0);
    assert_int_equal (table.memory, 0);
    assert_int_equal (a.memory, 0);
    assert_string_equal (change (), "+kept");
    assert_string_equal (change (), "-kept");
    assert_string_equal (change (), "none");
}

/* ------------------------------------------------------------------ histories */

enum { WHO = 5, TOPICS = 7, UNKNOWN = WHO, STEPS = 200 };

/*  How often each has each; the last of them are those who are not known. What was told adds up to the same. */
static int model[WHO + 1][TOPICS], told[TOPICS];

static const char *const names[TOPICS] = { "", "a", "ab", "abc", "b", "\1", "abcdefghijklmnopqrstuvwxyz" };

static int
topic_number (const struct change *news)
{
    for (int i = 0; i < TOPICS; i++)
        if (news->size == 1 + strlen (names[i]) && memcmp (news->bytes + 1, names[i], news->size - 1) == 0)
            return i;
    fail_msg ("a topic is told that nobody asked for");
    return -1;
}

static void
compare (const struct subscriber *who, bool verbose)
{
    for (; table.changes; subscriptions_told (&table))
        told[topic_number (table.changes)] += *table.changes->bytes ? 1 : -1;
    for (int t = 0; t < TOPICS; t++) {
        const struct topic *topic = subscriptions_find (&table, names[t], strlen (names[t]));
        int count = 0;
        for (int w = 0; w <= WHO; w++)
            count += model[w][t];
        assert_int_equal (topic ? topic->count : 0, count);
        assert_int_equal (topic ? topic->unknown : 0, model[UNKNOWN][t]);
        assert_int_equal (told[t], verbose ? count : count > 0);
    }
    for (int w = 0; w < WHO; w++) {
        int count = 0;
        for (int t = 0; t < TOPICS; t++)
            count += model[w][t];
        assert_int_equal (who[w].count, count);
    }
}

static void
step (struct subscriber *who, unsigned *random)
{
    int w = rand_r (random) % (WHO + 1), t = rand_r (random) % TOPICS, what = rand_r (random) % 16;
    struct subscriber *one = w == UNKNOWN ? NULL : &who[w];
    struct topic *topic = subscriptions_find (&table, names[t], strlen (names[t]));
    if (what == 0 && one) {
        assert_int_equal (subscriptions_leave (&table, one), 0);
        memset (model[w], 0, sizeof model[w]);
    } else if (what == 1 && one)
        subscriptions_pass_over (&table, one, (size_t) rand_r (random) % 1000);
    else if (what < 9) {
        add (one, names[t]);
        model[w][t] = one ? 1 : model[w][t] + 1;
    } else if (topic && (one || topic->unknown)) {
        assert_int_equal (subscriptions_remove (&table, one, topic), 0);
        model[w][t] = one ? 0 : model[w][t] - 1;
    }
}

static void
it_agrees_with_a_simple_one (void **state)
{
    (void) state;
    for (seed = 1; seed <= 200; seed++) {
        struct subscriber who[WHO] = { 0 };
        unsigned random = seed;
        subscriptions_free (&table);
        assert_int_equal (subscriptions_init (&table, seed % 2), 0);
        memset (model, 0, sizeof model);
        memset (told, 0, sizeof told);
        for (int i = 0; i < STEPS; i++) {
            step (who, &random);
            compare (who, table.verbose);
        }
        for (int w = 0; w < WHO; w++)
            assert_int_equal (subscriptions_leave (&table, &who[w]), 0);
        for (int t = 0; t < TOPICS; t++)
            for (; model[UNKNOWN][t] > 0; model[UNKNOWN][t]--)
                take_away (NULL, names[t]);
        assert_int_equal (table.memory, 0);
        assert_int_equal (table.topics.count + table.pairs.count, 0);
    }
    seed = 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown (name, set_up, tear_down)

int
main (void)
{
    const struct CMUnitTest tests[] = {
        TEST (a_subscriber_has_a_topic_once), TEST (the_first_and_the_last_are_told_unless_verbose),
        TEST (who_is_not_known_may_have_it_several_times), TEST (what_is_passed_over_costs_until_the_end),
        TEST (it_agrees_with_a_simple_one),
    };
    return cmocka_run_group_tests_name ("subscriptions", tests, NULL, NULL);
}
