/*  replace.h - command templates: {} {.} {/} {//} {/.} {#} {%} {n} {n.} {n/} {n//} {n/.}
 *
 *  As GNU parallel has them: values are quoted for the shell, unless the command
 *  itself is one of them; a word that holds {} is repeated where a job takes several
 *  values (--max-args); a command without any gets {} at its end. */
#ifndef WEFT_CLI_REPLACE_H
#define WEFT_CLI_REPLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buffer.h"

enum {
    REPLACE_QUOTE = 1,          /*  quote values, as a command line needs       */
    REPLACE_APPEND = 2,         /*  add {} when there is no replacement string  */
    REPLACE_REPEAT = 4          /*  repeat words, for several values a job      */
};

struct replace_part;

struct replace {
    char *text;                 /*  the template                                */
    struct replace_part *parts;
    size_t count;
    unsigned flags;
    bool replaces;              /*  it holds any replacement string             */
    bool uses_slot;             /*  it holds {%}                                */
    bool uses_values;           /*  it holds {} or {n} in any form              */
};

/*  WEFT_ENOTSUP for {= perl =}. */
int replace_compile (struct replace *self, const char *template, unsigned flags);
void replace_free (struct replace *self);

/*  Adds the text to `out`. `slot` stands for {%}. WEFT_ENOMEM, WEFT_ETOOBIG. */
int replace_render (const struct replace *self, char *const *values, size_t count, uint64_t number, const char *slot,
                    struct buffer *out);

/*  Adds `text`, quoted for /bin/sh where it needs to be. */
int replace_quote (struct buffer *out, const char *text, size_t size);

#endif
