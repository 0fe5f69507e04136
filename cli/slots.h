/*  slots.h - how many jobs at once: -j N, N%, +N, -N or 0 */
#ifndef WEFT_CLI_SLOTS_H
#define WEFT_CLI_SLOTS_H

/*  `text` as GNU parallel reads it, NULL for one a processor; 0 is as many as the
 *  limit on descriptors allows. At least 1. WEFT_EINVAL. */
int slots_parse (const char *text, int processors, int *slots);

/*  Sees that there are descriptors for so many jobs at once, and so many workers in this process. */
void slots_provide (int slots, int workers);

/*  Processors that this process may use. */
int slots_processors (void);

#endif
