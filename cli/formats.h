/*  formats.h - the options that choose message formats */

#ifndef WEFT_CLI_FORMATS_H
#define WEFT_CLI_FORMATS_H

#include "core/option.h"

struct formats {
    int input, output;          /*  enum format                                             */
    char *template;             /*  for FORMAT_TEMPLATE                                     */
    char *separator;            /*  between frames, escapes replaced; NULL: none was given  */
    bool flag;                  /*  --lines and the like have no place of their own         */
};

/*  For commands that read messages, that write them, and that do both. */
extern const struct option formats_input_table[], formats_output_table[], formats_table[];

/*  A command_set_fn for these tables; the target is a zeroed struct formats. */
int formats_set (void *formats, const struct option *option, const char *value);
void formats_free (struct formats *self);

#endif
