/*  parts.h - the running parts of a fabric: started in order, started again, stopped
 *
 *  A part is a command on a thread of its own, in the one context of the process. All calls come from the thread that
 *  made the parts, whose signals stop them. */
#ifndef WEFT_CLI_PARTS_H
#define WEFT_CLI_PARTS_H

#include "cli/fabric.h"

struct parts;

/*  The cli is that of `weft up`: its context is the parts', its output gets what they write. */
int parts_new (struct parts **self, struct cli *cli);
void parts_destroy (struct parts **self);

/*  From now on these are the parts, which are taken out of the fabric. Those that run and are the same go on and do not
 *  notice; others are stopped; then those that are new, or changed, are started. WEFT_ENOMEM: nothing has changed. */
int parts_change (struct parts *self, struct fabric *fabric);

/*  Runs until all parts have ended, by themselves, by the failure of one, or by a signal: the exit status. The first
 *  signal stops them, givers first, and each delivers what it has within its linger; the second ends all at once.
 *  Whenever `wake_fd` is readable, on_wake is called, which has to read it. */
int parts_run (struct parts *self, int wake_fd, void (*on_wake) (void *arg), void *arg);

/*  They are being stopped for good. */
bool parts_stopping (const struct parts *self);

/*  For weft_set_log, with the cli of weft up: what a part's threads log bears the part's name. */
void parts_log (void *cli, int level, const char *text);

#endif
