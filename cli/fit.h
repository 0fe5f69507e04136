/*  fit.h - text for so many columns of a terminal */
#ifndef WEFT_CLI_FIT_H
#define WEFT_CLI_FIT_H

#include "core/buffer.h"

/*  Adds as much of the text, which is UTF-8, as `columns` have room for; returns how many it took, or a negative error.
 *  A newline or TAB becomes a space; what else could steer a terminal, and what is no UTF-8, a question mark. */
int fit_add (struct buffer *out, const char *text, size_t size, int columns);

#endif
