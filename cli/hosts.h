/*  hosts.h - machines as --ssh takes them, in the habits of GNU parallel's --sshlogin */
#ifndef WEFT_CLI_HOSTS_H
#define WEFT_CLI_HOSTS_H

#include <stdbool.h>
#include <stddef.h>

#define HOSTS_MAX 1000

struct host {
    char *login;                /*  "user@host", or a command that ends with it: "ssh -p 2222 user@host" */
    char *name;                 /*  the host alone                                      */
    int slots;                  /*  of N/host; 0: not given                             */
    bool local;                 /*  ":"                                                 */
};

struct hosts {
    struct host *list;
    size_t count;
};

/*  FILE (a line each, # begins a comment), or HOST[,HOST...]. WEFT_EINVAL says which and why. */
int hosts_add (struct hosts *self, const char *text);
void hosts_free (struct hosts *self);

#endif
