/*  option.c - the value of an option: from text and back */

#include "core/option.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/clock.h"
#include "core/error.h"

#define QUOTE "\"%.64s\""       /*  as much of a bad value as a message repeats */

struct unit {
    const char *name;
    int64_t size;
};

/*  Largest first. The empty name is what a number without unit counts. */
static const struct unit units_int[] = {
    { "G", 1000000000 }, { "M", 1000000 }, { "k", 1000 }, { "K", 1000 }, { "", 1 }, { NULL, 0 }
};

static const struct unit units_size[] = {
    { "T", INT64_C (1) << 40 }, { "G", 1 << 30 }, { "M", 1 << 20 }, { "K", 1 << 10 }, { "k", 1 << 10 },
    { "TiB", INT64_C (1) << 40 }, { "GiB", 1 << 30 }, { "MiB", 1 << 20 }, { "KiB", 1 << 10 },
    { "", 1 }, { "B", 1 }, { NULL, 0 }
};

static const struct unit units_time[] = {
    { "h", 3600 * TIME_S }, { "m", 60 * TIME_S }, { "s", TIME_S }, { "ms", TIME_MS }, { "us", TIME_US },
    { "ns", 1 }, { "", TIME_S }, { NULL, 0 }
};

static const struct unit *
units_of (enum option_type type)
{
    return type == OPTION_TIME ? units_time : type == OPTION_SIZE ? units_size : units_int;
}

static bool
is_number (enum option_type type)
{
    return type == OPTION_INT || type == OPTION_SIZE || type == OPTION_TIME;
}

/* ------------------------------------------------------------------ ranges */

static void
bounds_of (const struct option *option, int64_t *min, int64_t *max)
{
    *min = option->min;
    *max = option->max;
    bool open = *max == 0 && (*min == 0 || option->type != OPTION_INT);
    if (open || *max < *min)
        *max = INT64_MAX;
    if (option->type == OPTION_TIME && *min < 0)
        *min = 0;
}

static bool
forever_allowed (const struct option *option)
{
    return option->type == OPTION_TIME && option->min == TIME_FOREVER;
}

/*  The shortest text of a number: in the largest unit that divides it. */
static void
number_text (enum option_type type, int64_t value, char *text, size_t size)
{
    if (type == OPTION_TIME && value == TIME_FOREVER) {
        snprintf (text, size, "forever");
        return;
    }
    const struct unit *unit = units_of (type);
    while (type != OPTION_INT && value != 0 && value % unit->size != 0)
        unit++;
    if (type == OPTION_INT || value == 0)
        snprintf (text, size, "%" PRId64, value);
    else
        snprintf (text, size, "%" PRId64 "%s", value / unit->size, unit->name);
}

static void
number_range (const struct option *option, char *text, size_t size)
{
    int64_t min, max;
    char low[32], high[32];
    bounds_of (option, &min, &max);
    number_text (option->type, min, low, sizeof low);
    number_text (option->type, max, high, sizeof high);
    snprintf (text, size, "%s%s%s%s", low, max == INT64_MAX ? " and up" : "..", max == INT64_MAX ? "" : high,
              forever_allowed (option) ? ", or forever" : "");
}

void
option_range (const struct option *option, char *text, size_t size)
{
    if (is_number (option->type))
        number_range (option, text, size);
    else
        snprintf (text, size, "%s", option->type == OPTION_CHOICE ? option->choices
                  : option->type == OPTION_FLAG ? "yes|no" : "");
}

/* ----------------------------------------------------------------- parsing */

enum number_fault {
    NUMBER_OK,
    NUMBER_NONE,                /*  not a number at all                     */
    NUMBER_UNIT,                /*  a unit that this type does not have     */
    NUMBER_FRACTION,            /*  not a whole number of the smallest unit */
    NUMBER_HUGE                 /*  does not fit 64 bits                    */
};

/*  [-]digits[.digits][unit]. */
static enum number_fault
parse_number (const struct unit *unit, const char *text, int64_t *value)
{
    bool negative = *text == '-';
    int64_t whole = 0, fraction = 0, scale = 1;
    bool huge = false;
    text += negative;
    size_t digits = strspn (text, "0123456789");
    if (!digits)
        return NUMBER_NONE;
    for (; digits; digits--, text++)
        huge |= __builtin_mul_overflow (whole, 10, &whole) || __builtin_add_overflow (whole, *text - '0', &whole);
    if (*text == '.') {
        digits = strspn (++text, "0123456789");
        if (!digits)
            return NUMBER_NONE;
        if (digits > 9)
            return NUMBER_FRACTION;
        for (; digits; digits--, text++, scale *= 10)
            fraction = fraction * 10 + (*text - '0');
    }
    while (unit->name && strcmp (unit->name, text) != 0)
        unit++;
    if (!unit->name)
        return strspn (text, "0123456789.,-+_ ") ? NUMBER_NONE : NUMBER_UNIT;

    /*  Neither term overflows silently: a fraction is less than 10^9, and so divides out first. */
    int64_t per = unit->size / scale, rest = unit->size % scale;
    if (fraction * rest % scale != 0)
        return NUMBER_FRACTION;
    fraction = fraction * per + fraction * rest / scale;
    if (huge || __builtin_mul_overflow (whole, unit->size, &whole) || __builtin_add_overflow (whole, fraction, &whole))
        return NUMBER_HUGE;
    *value = negative ? -whole : whole;
    return NUMBER_OK;
}

/*  A value that would be taken: the default, or something usual, or else the least. */
static void
example_of (const struct option *option, char *text, size_t size)
{
    static const char *const usual[] = {
        [OPTION_INT] = "10", [OPTION_SIZE] = "64K", [OPTION_TIME] = "500ms"
    };
    const char *const tries[] = { option->standard, usual[option->type] };
    int64_t min, max, value;
    bounds_of (option, &min, &max);
    for (size_t i = 0; i < sizeof tries / sizeof *tries; i++)
        if (tries[i] && parse_number (units_of (option->type), tries[i], &value) == NUMBER_OK && value >= min
            && value <= max && value != 0) {
            snprintf (text, size, "%s", tries[i]);
            return;
        }
    number_text (option->type, min, text, size);
}

static int
number_error (const struct option *option, const char *value, enum number_fault fault)
{
    static const char *const kinds[] = {
        [OPTION_INT] = "number", [OPTION_SIZE] = "size", [OPTION_TIME] = "time"
    };
    static const char *const units[] = {
        [OPTION_INT] = "k M G", [OPTION_SIZE] = "K M G T (powers of 1024)", [OPTION_TIME] = "us ms s m h"
    };
    char range[96], example[32];
    number_range (option, range, sizeof range);
    example_of (option, example, sizeof example);
    const char *name = option->name, *kind = kinds[option->type];

    if (!*value)
        return error_set (WEFT_EINVAL, "%s: empty; write a %s, %s, for example %s", name, kind, range, example);
    if (fault == NUMBER_UNIT)
        return error_set (WEFT_EINVAL, "%s: " QUOTE " has no known unit; the units are %s; for example %s", name, value,
                          units[option->type], example);
    if (fault == NUMBER_FRACTION)
        return error_set (WEFT_EINVAL, "%s: " QUOTE " is too fine a fraction; write %s, for example %s", name, value,
                          range, example);
    if (fault == NUMBER_NONE)
        return error_set (WEFT_EINVAL, "%s: " QUOTE " is not a %s; write %s, for example %s", name, value, kind, range,
                          example);
    return error_set (WEFT_EINVAL, "%s: " QUOTE " is out of range; write %s, for example %s", name, value, range,
                      example);
}

static int
set_number (const struct option *option, int64_t *field, const char *value)
{
    if (forever_allowed (option) && strcasecmp (value, "forever") == 0) {
        *field = TIME_FOREVER;
        return 0;
    }
    int64_t min, max, number = 0;
    enum number_fault fault = parse_number (units_of (option->type), value, &number);
    if (fault == NUMBER_NONE && option->type == OPTION_TIME && strcasecmp (value, "forever") == 0)
        fault = NUMBER_HUGE;
    bounds_of (option, &min, &max);
    if (fault != NUMBER_OK || number < min || number > max)
        return number_error (option, value, fault);
    *field = number;
    return 0;
}

static int
set_flag (const struct option *option, bool *field, const char *value)
{
    static const char *const words[] = { "no", "yes", "off", "on", "false", "true", "0", "1" };
    bool invert = option->flags & OPTION_NEGATIVE;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!value || strcasecmp (value, words[i]) == 0) {
            *field = (value ? i % 2 == 1 : true) != invert;
            return 0;
        }
    return error_set (WEFT_EINVAL, "%s: " QUOTE " is not yes or no", option->name, value);
}

/*  The index-th word of "a|b|c" and its length; false past the last. */
static bool
choice_word (const char *choices, int index, const char **word, size_t *length)
{
    for (; index > 0; index--) {
        choices = strchr (choices, '|');
        if (!choices)
            return false;
        choices++;
    }
    *word = choices;
    *length = strcspn (choices, "|");
    return true;
}

static int
set_choice (const struct option *option, int *field, const char *value)
{
    const char *word;
    size_t length;
    char words[16][32];
    const char *pointers[16];
    size_t count = 0;
    for (int i = 0; choice_word (option->choices, i, &word, &length); i++) {
        if (strlen (value) == length && memcmp (value, word, length) == 0) {
            *field = i;
            return 0;
        }
        if (count < 16) {
            snprintf (words[count], sizeof words[count], "%.*s", (int) length, word);
            pointers[count] = words[count];
            count++;
        }
    }
    const char *near = option_nearest_word (value, pointers, count);
    return error_set (WEFT_EINVAL, "%s: " QUOTE " is not one of %s%s%s%s", option->name, value, option->choices,
                      near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

static int
set_text (const struct option *option, char **field, const char *value)
{
    char *copy = strdup (value);
    if (!copy)
        return error_set (WEFT_ENOMEM, "%s: out of memory", option->name);
    free (*field);
    *field = copy;
    return 0;
}

static int
add_text (const struct option *option, struct option_list *list, const char *value)
{
    char **items = realloc (list->items, (list->count + 1) * sizeof *items);
    if (items)
        list->items = items;
    char *copy = items ? strdup (value) : NULL;
    if (!copy)
        return error_set (WEFT_ENOMEM, "%s: out of memory", option->name);
    list->items[list->count++] = copy;
    return 0;
}

int
option_set (const struct option *option, void *target, const char *value)
{
    void *field = option_field (option, target);
    if (!value && option->type != OPTION_FLAG)
        return error_set (WEFT_EINVAL, "%s: needs a value%s%s", option->name, option->argument ? ": " : "",
                          option->argument ? option->argument : "");
    switch (option->type) {
    case OPTION_FLAG:
        return set_flag (option, field, value);
    case OPTION_INT:
    case OPTION_SIZE:
    case OPTION_TIME:
        return set_number (option, field, value);
    case OPTION_TEXT:
        return set_text (option, field, value);
    case OPTION_CHOICE:
        return set_choice (option, field, value);
    case OPTION_LIST:
        return add_text (option, field, value);
    }
    return error_set (WEFT_EINVAL, "%s: an option of no known type", option->name);
}

/* ---------------------------------------------------------------- as text  */

/*  A list reads as its items with commas between. */
static int
get_list (const struct option_list *list, char *value, size_t size)
{
    size_t used = 0;
    for (size_t i = 0; i < list->count && used < size; i++)
        used += (size_t) snprintf (value + used, size - used, "%s%s", i ? "," : "", list->items[i]);
    return used < size ? 0 : WEFT_ETOOBIG;
}

int
option_get (const struct option *option, const void *target, char *value, size_t size)
{
    void *field = option_field (option, target);
    const char *text = "";
    char number[32];
    size_t length = 0;

    if (size)
        *value = '\0';
    if (option->type == OPTION_FLAG)
        text = *(bool *) field != !!(option->flags & OPTION_NEGATIVE) ? "yes" : "no";
    else if (option->type == OPTION_CHOICE)
        choice_word (option->choices, *(int *) field, &text, &length);
    else if (option->type == OPTION_TEXT)
        text = *(char **) field ? *(char **) field : "";
    else if (is_number (option->type)) {
        number_text (option->type, *(int64_t *) field, number, sizeof number);
        text = number;
    }
    if (!length)
        length = strlen (text);
    bool fits = option->type == OPTION_LIST ? get_list (field, value, size) == 0 : length < size;
    if (!fits)
        return error_set (WEFT_ETOOBIG, "%s: its value does not fit %zu bytes", option->name, size);
    if (option->type != OPTION_LIST) {
        memcpy (value, text, length);
        value[length] = '\0';
    }
    return 0;
}
