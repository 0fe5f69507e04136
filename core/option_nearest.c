/*  option_nearest.c - what was meant by a misspelt word */

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "core/option.h"

#define WORD_MAX 48             /*  longer words are nobody's misspelling */

static size_t
least (size_t a, size_t b)
{
    return a < b ? a : b;
}

static char
folded (char c)
{
    return c == '_' ? '-' : (char) tolower ((unsigned char) c);
}

/*  Edits from a to b, where swapped neighbours are one edit (optimal string
 *  alignment); letter case and underscores for dashes are none. */
static size_t
edits (const char *a, const char *b)
{
    size_t n = strlen (a), m = strlen (b);
    if (n > WORD_MAX || m > WORD_MAX)
        return WORD_MAX;
    size_t d[WORD_MAX + 1][WORD_MAX + 1];
    for (size_t i = 0; i <= n; i++)
        d[i][0] = i;
    for (size_t j = 0; j <= m; j++)
        d[0][j] = j;
    for (size_t i = 1; i <= n; i++)
        for (size_t j = 1; j <= m; j++) {
            char x = folded (a[i - 1]), y = folded (b[j - 1]);
            d[i][j] = least (d[i - 1][j - 1] + (x != y), least (d[i - 1][j], d[i][j - 1]) + 1);
            if (i > 1 && j > 1 && x == folded (b[j - 2]) && y == folded (a[i - 2]))
                d[i][j] = least (d[i][j], d[i - 2][j - 2] + 1);
        }
    return d[n][m];
}

struct nearest {
    const char *word;           /*  as it was misspelt          */
    const char *best;
    size_t distance;            /*  of the best, or the limit + 1 */
};

static struct nearest
nearest_to (const char *word)
{
    size_t length = strlen (word);
    size_t limit = length < 2 ? 0 : length < 5 ? 1 : length < 8 ? 2 : 3;
    return (struct nearest) { word, NULL, limit + 1 };
}

/*  A beginning of three letters and more is nearer than one edit. */
static void
consider (struct nearest *self, const char *candidate)
{
    size_t length = strlen (self->word), distance = edits (self->word, candidate);
    if (length >= 3 && strncasecmp (self->word, candidate, length) == 0)
        distance = 0;
    if (distance < self->distance && distance < strlen (candidate)) {
        self->best = candidate;
        self->distance = distance;
    }
}

const char *
option_nearest_word (const char *word, const char *const *words, size_t count)
{
    struct nearest nearest = nearest_to (word);
    for (size_t i = 0; i < count; i++)
        consider (&nearest, words[i]);
    return nearest.best;
}

const char *
option_nearest (const struct option_group *groups, const char *name)
{
    struct nearest nearest = nearest_to (name);
    for (; groups->table; groups++)
        for (const struct option *option = groups->table; option->name; option++)
            if (!(option->flags & OPTION_HIDDEN))
                consider (&nearest, option->name);
    return nearest.best;
}
