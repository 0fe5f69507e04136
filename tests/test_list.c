/*  test_list.c - the intrusive ring */

#include "core/list.h"

#include "core/map.h"
#include "tests/testing.h"

struct thing {
    int number;
    struct list link;
};
#define thing_of(node) map_entry (node, struct thing, link)

/*  The numbers in their order, forwards and backwards. */
static void
expect (const struct list *list, const char *numbers)
{
    char forwards[16] = "", backwards[16] = "";
    size_t count = 0, length = strlen (numbers);
    for (struct list *node = list->next; node != list; node = node->next)
        forwards[count++] = (char) ('0' + thing_of (node)->number);
    for (struct list *node = list->prev; node != list; node = node->prev)
        backwards[--count] = (char) ('0' + thing_of (node)->number);
    assert_string_equal (forwards, numbers);
    assert_memory_equal (backwards, numbers, length + 1);
}

static void
nodes_come_and_go_anywhere (void **state)
{
    (void) state;
    struct thing things[4] = { { .number = 0 }, { .number = 1 }, { .number = 2 }, { .number = 3 } };
    struct list list;
    list_init (&list);
    assert_true (list_empty (&list));
    list_append (&list, &things[1].link);
    list_append (&list, &things[2].link);
    list_insert (&list, &things[0].link);
    list_insert (&things[2].link, &things[3].link);
    expect (&list, "0123");
    list_remove (&things[2].link);
    list_remove (&things[0].link);
    expect (&list, "13");
    list_append (&list, &things[0].link);
    expect (&list, "130");
}

static void
a_node_knows_whether_it_is_in_a_list (void **state)
{
    (void) state;
    struct thing thing = { 0 };
    struct list list;
    list_init (&list);
    assert_false (list_has (&thing.link));
    list_remove (&thing.link);
    list_append (&list, &thing.link);
    assert_true (list_has (&thing.link));
    list_remove (&thing.link);
    assert_false (list_has (&thing.link));
    list_remove (&thing.link);
    assert_true (list_empty (&list));
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (nodes_come_and_go_anywhere),
        cmocka_unit_test (a_node_knows_whether_it_is_in_a_list),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
