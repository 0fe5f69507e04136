/*  ssh.h - workers on other machines, started by ssh, each with one connection that ssh itself carries
 *
 *  Nothing listens there, and no address or key is on a command line or in a file: the ticket goes
 *  over standard input, and the connection follows it. When either end dies, that ends, and so does the other. */
#ifndef WEFT_CLI_SSH_H
#define WEFT_CLI_SSH_H

#include <stdatomic.h>

#include "cli/hosts.h"
#include "cli/talk.h"
#include "cli/ticket.h"

struct ssh_config {
    const char *rsh;            /*  the program, with options                           */
    const char *remote_weft;    /*  where weft is there                                 */
    const char *workdir;        /*  where jobs run there; NULL: where one logs in       */
    const char *endpoint;       /*  the head's, abstract ipc                            */
    const char *jobs;           /*  -j, for those without slots of their own            */
    struct ticket *ticket;      /*  common to all; unchanged afterwards                 */
    struct talk *talk;
    bool verbose;               /*  say what ssh and login scripts say, too             */
};

struct ssh_node;

struct ssh {
    struct ssh_config config;
    struct ssh_node *nodes;
    size_t count;               /*  whose thread runs or has run                        */
    int stop;                   /*  eventfd, never read: the run has ended              */
    atomic_uint starting, there;    /*  nodes: not known yet; whose worker is there     */
};

/*  Of the hosts, which must live on, those that are not this machine. */
int ssh_start (struct ssh *self, const struct hosts *hosts, const struct ssh_config *config);

/*  After the pool was destroyed, which ends their workers. Waits for those, not for long. */
void ssh_stop (struct ssh *self);

#endif
