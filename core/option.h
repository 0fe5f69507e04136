/*  option.h - one description of an option, for everything that needs one
 *
 *  A table of these drives weft_set, command lines, help, man pages and shell
 *  completion. An option has one name and one way to write its value everywhere. */

#ifndef WEFT_CORE_OPTION_H
#define WEFT_CORE_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "weft.h"

enum option_type {              /*  field at `offset`       text                                */
    OPTION_FLAG,                /*  bool                    yes no on off true false 1 0; alone: yes */
    OPTION_INT,                 /*  int64_t                 123, 10k, 1M (powers of 1000)       */
    OPTION_SIZE,                /*  int64_t bytes           512, 64K, 10M, 1G (powers of 1024)  */
    OPTION_TIME,                /*  int64_t ns              500ms, 2s, 1.5s, 100us, 3m, 1h, forever;
                                                            a bare number is seconds            */
    OPTION_TEXT,                /*  char * (owned)          anything                            */
    OPTION_CHOICE,              /*  int: index in choices   one of the words                    */
    OPTION_LIST                 /*  struct option_list      anything, repeatable                */
};

enum {
    OPTION_LIVE = 1,            /*  may change after bind or connect                            */
    OPTION_HIDDEN = 2,          /*  left out of help                                            */
    OPTION_NEGATIVE = 4         /*  a FLAG that --name sets to false (as --no-retry); rarely wanted */
};

struct option_list {
    char **items;               /*  owned */
    size_t count;
};

struct option {
    const char *name;           /*  long name, without dashes; NULL ends a table                */
    char letter;                /*  one-letter form, or 0                                       */
    enum option_type type;
    const char *argument;       /*  shown in help: "TIME", "N", "BYTES"; NULL for a flag        */
    const char *standard;       /*  the default as text, or NULL for none (0, false, NULL)      */
    int64_t min, max;           /*  INT, SIZE, TIME: inclusive; both 0: 0 and up. TIME_FOREVER is
                                    allowed when min is -1                                      */
    const char *choices;        /*  CHOICE: "lines|nul|raw"; TEXT: what completion offers       */
    unsigned flags;
    size_t offset;              /*  offsetof (struct, field)                                    */
    const char *text;           /*  a sentence for help: what it does, without a full stop      */
};

#define OPTION_END { .name = NULL }

/*  Where its value is. */
static inline void *
option_field (const struct option *option, const void *target)
{
    return (char *) (uintptr_t) target + option->offset;
}

/*  Sets the defaults of a table in `target` (a zeroed struct). WEFT_ENOMEM. */
int option_init (const struct option *table, void *target);

/*  Frees owned texts and lists of a table in `target`. */
void option_free (const struct option *table, void *target);

/*  The option of that long name, or NULL. Underscores count as dashes. */
const struct option *option_find (const struct option *table, const char *name);

/*  The same among groups that end with a NULL table; *target gets where its value goes. */
struct option_group;
const struct option *option_find_group (const struct option_group *groups, const char *name, void **target);

/*  Parses `value` (NULL: a flag alone) into target. WEFT_EINVAL says the option,
 *  what was given, what is allowed, and an example. Old value kept on error. */
int option_set (const struct option *option, void *target, const char *value);

/*  As text that option_set would take; WEFT_ETOOBIG. */
int option_get (const struct option *option, const void *target, char *value, size_t size);

/*  The range or the choices as text: "0..65535", "1ms..1h", "lines|nul|raw". */
void option_range (const struct option *option, char *text, size_t size);

/*  ---- a command line is a list of tables, each with where its values go ---- */

struct option_group {
    const struct option *table;         /*  NULL ends the list of groups                        */
    void *target;                       /*  where values go ...                                 */
    int (*set) (void *target, const struct option *option, const char *value);
                                        /*  ... by option_set when NULL; else by this. `value`
                                            is NULL for a flag alone                            */
    const char *title;                  /*  heading in help                                     */
};

/*  For calls that set an option by its name: WEFT_EINVAL also where there is none, with the nearest; WEFT_ESTATE when
 *  it is too late. `whose`: "a pool"; `closed`: NULL, or before what it has to be set: "the first bind". */
int option_set_in (const struct option_group *groups, const char *name, const char *value, const char *whose,
                   const char *closed);

/*  That there is no such option: WEFT_EINVAL, with the nearest. */
int option_unknown (const struct option_group *groups, const char *name, const char *whose);

/*  Parses argv[1..]: --name VALUE, --name=VALUE, --flag, --no-flag, -x VALUE,
 *  -xVALUE, -abc for flags, -- ends the options. Operands are gathered in `operands`
 *  (argc pointers; the caller's) in order, and *count of them; with `posix`, the
 *  first operand ends the options. An unknown option is WEFT_EINVAL and suggests
 *  the nearest name. */
int option_parse (const struct option_group *groups, int argc, char **argv, bool posix, char **operands, int *count);

/*  The name in the groups that is nearest to a misspelt one, or NULL. */
const char *option_nearest (const struct option_group *groups, const char *name);

/*  Nearest of `count` words (also for commands), or NULL when none is near. */
const char *option_nearest_word (const char *word, const char *const *words, size_t count);

/*  The groups as help text: two columns, 80 wide, defaults and ranges shown. */
void option_help (const struct option_group *groups, FILE *out);

#endif
