/*  columns.h - --colsep: a value is a row, its columns are the arguments */
#ifndef WEFT_CLI_COLUMNS_H
#define WEFT_CLI_COLUMNS_H

#include <regex.h>
#include <stdbool.h>

#include "cli/arglist.h"

struct columns {
    bool active;
    regex_t regex;
};

/*  `separator` is an extended regular expression that may hold \t \n \s \w, or a
 *  single character, which means itself. WEFT_EINVAL. */
int columns_init (struct columns *self, const char *separator);
void columns_free (struct columns *self);

/*  Adds the columns of `value`, without the white space around each. */
int columns_split (const struct columns *self, const char *value, struct arglist *args);

#endif
