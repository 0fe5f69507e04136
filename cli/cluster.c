/*  cluster.c - weft run on more than one machine: workers that it starts elsewhere, and what they are handed */

#include "cli/cluster.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/file.h"

#define FIELD(name) offsetof (struct cluster_options, name)

const struct option cluster_options[] = {
    { .name = "ssh", .letter = 'S', .type = OPTION_LIST, .argument = "HOST,...", .offset = FIELD (ssh),
      .text = "run jobs on these machines, by ssh: HOST, USER@HOST, N/HOST for N at once, : for this one, too; or a "
              "file with one a line" },
    { .name = "sshlogin", .type = OPTION_LIST, .flags = OPTION_HIDDEN, .offset = FIELD (ssh) },
    { .name = "sshloginfile", .type = OPTION_LIST, .flags = OPTION_HIDDEN, .offset = FIELD (ssh) },
    { .name = "slf", .type = OPTION_LIST, .flags = OPTION_HIDDEN, .offset = FIELD (ssh) },
    { .name = "rsh", .type = OPTION_TEXT, .argument = "COMMAND", .standard = "ssh", .offset = FIELD (rsh),
      .text = "what runs a command on a host, with its options, as 'ssh -p 2222'" },
    { .name = "slurm", .type = OPTION_INT, .argument = "N", .max = 100000, .offset = FIELD (nodes),
      .text = "run jobs on N nodes that Slurm gives, for as long as there is work" },
    { .name = "sbatch", .type = OPTION_LIST, .argument = "OPTIONS", .offset = FIELD (sbatch),
      .text = "options of sbatch for these nodes, as '-p short --time=1:00:00'" },
    { .name = "slurm-dir", .type = OPTION_TEXT, .argument = "DIR", .offset = FIELD (slurm_dir),
      .text = "a folder that this machine and the nodes share; without it ~/.cache/weft" },
    { .name = "head-address", .type = OPTION_TEXT, .argument = "HOST", .offset = FIELD (head_address),
      .text = "name or address by which the nodes reach this machine; without it its host name" },
    { .name = "lifetime", .type = OPTION_TIME, .argument = "TIME", .standard = "0", .max = INT64_MAX,
      .offset = FIELD (lifetime),
      .text = "with --slurm: nodes end after so long, and others are asked for; 0: shortly before their walltime" },
    { .name = "remote-weft", .type = OPTION_TEXT, .argument = "PATH", .offset = FIELD (remote_weft),
      .text = "where weft is on the other machines; by ssh what PATH has there, by Slurm the same path as here" },
    { .name = "workdir", .type = OPTION_TEXT, .argument = "DIR", .offset = FIELD (workdir),
      .text = "where jobs run; elsewhere . is the same path as here, and without it that is where a login begins" },
    { .name = "wd", .type = OPTION_TEXT, .flags = OPTION_HIDDEN, .offset = FIELD (workdir) },
    { .name = "worker-key", .type = OPTION_TEXT, .argument = "NAME|FILE", .offset = FIELD (worker_key),
      .text = "with --key: the pair for workers that are started elsewhere; it must be on the list" },
    OPTION_END
};

int
cluster_init (struct cluster *self, struct cli *cli, const struct cluster_options *options)
{
    *self = (struct cluster){ .cli = cli, .options = options, .head_key = -1, .allow = -1 };
    ticket_init (&self->ticket);
    int rc = 0;
    for (size_t i = 0; i < options->ssh.count && rc == 0; i++)
        rc = hosts_add (&self->hosts, options->ssh.items[i]);
    for (size_t i = 0; i < self->hosts.count && rc == 0; i++) {
        const struct host *host = &self->hosts.list[i];
        self->remote += !host->local;
        self->local |= host->local;
        self->local_slots = host->local && host->slots ? host->slots : self->local_slots;
    }
    if (rc == 0 && options->ssh.count > 0 && self->hosts.count == 0)
        rc = error_set (WEFT_EINVAL, "--ssh: there is no host in it");
    if (rc == 0 && options->nodes == 0 && (options->sbatch.count || options->slurm_dir || options->lifetime))
        rc = error_set (WEFT_EINVAL, "--sbatch, --slurm-dir and --lifetime are of no use without --slurm N");
    return rc;
}

void
cluster_free (struct cluster *self)
{
    if (!self->cli)
        return;
    ticket_free (&self->ticket);
    hosts_free (&self->hosts);
    if (self->head_key >= 0)
        close (self->head_key);
    if (self->allow >= 0)
        close (self->allow);
}

/* ----------------------------------------------------------------------- keys */

/*  A pair that the user has chosen, who has put it on the list. */
static int
given_keys (struct cluster *self, const struct security_config *security)
{
    if (!self->options->worker_key)
        return error_set (WEFT_EINVAL, "with --key, say --worker-key, too: a pair for the workers that are started "
                          "elsewhere, which --allow or weft key allow has on its list");
    int rc = certificate_find (&self->ticket.key, self->options->worker_key);
    return rc ? rc : certificate_find_public (self->ticket.server_key, security->key);
}

/*  The list lets in the run's own workers, and nobody else. */
static int
run_list (const struct cluster *self, char path[64])
{
    struct buffer text;
    buffer_init (&text, 0);
    int rc = buffer_addf (&text, "worker %s worker\n", self->ticket.key.public_key);
    rc = rc ? rc : ticket_memory (&text, path);
    buffer_free (&text);
    return rc;
}

static int
set_text (char **field, const char *text)
{
    free (*field);
    *field = strdup (text);
    return *field ? 0 : error_set (WEFT_ENOMEM, "out of memory");
}

int
cluster_keys (struct cluster *self, struct security_config *security)
{
    struct certificate head;
    char key_path[64], list_path[64];
    if (security->key)
        return given_keys (self, security);
    if (self->options->worker_key || security->allow)
        return error_set (WEFT_EINVAL, "--worker-key and --allow are of no use without --key; without any of them the "
                          "run has keys of its own");
    int rc = certificate_new (&head, "run");
    rc = rc ? rc : certificate_new (&self->ticket.key, "worker");
    if (rc == 0) {
        memcpy (self->ticket.server_key, head.public_key, KEY_TEXT);
        rc = self->head_key = ticket_key_memory (&head, key_path);
    }
    certificate_forget (&head);
    rc = rc < 0 ? rc : (self->allow = run_list (self, list_path));
    rc = rc < 0 ? rc : set_text (&security->key, key_path);
    return rc < 0 ? rc : set_text (&security->allow, list_path);
}

/* ------------------------------------------------------------------- starting */

static int
fill_ticket (struct cluster *self)
{
    const struct cluster_config *config = &self->config;
    snprintf (self->ticket.connect, sizeof self->ticket.connect, "%s", TICKET_STDIO);
    char nice[16];
    snprintf (nice, sizeof nice, "%d", (int) config->nice);
    int rc = ticket_add (&self->ticket, "shell", config->shell);
    rc = rc ? rc : ticket_add (&self->ticket, "exec", config->exec);
    rc = rc ? rc : ticket_add (&self->ticket, "filter", config->filter);
    rc = rc ? rc : ticket_add (&self->ticket, "filter-format", config->filter ? config->filter_format : NULL);
    rc = rc ? rc : ticket_add (&self->ticket, "nice", config->nice ? nice : NULL);
    return rc ? rc : ticket_add (&self->ticket, "prefetch", config->strict ? "0" : NULL);
}

static int
start_ssh (struct cluster *self)
{
    char here[KEY_PATH_MAX];
    const char *workdir = self->options->workdir;
    if (workdir && strcmp (workdir, ".") == 0)
        workdir = getcwd (here, sizeof here);
    snprintf (self->endpoint, sizeof self->endpoint, "ipc://@weft-run-%016llx", (unsigned long long) random_seed ());
    int rc = weft_pool_bind (self->pool, self->endpoint);
    const char *weft = self->options->remote_weft ? self->options->remote_weft : "weft";
    struct ssh_config config = { .rsh = self->options->rsh, .remote_weft = weft,
                                 .workdir = workdir, .endpoint = self->endpoint, .jobs = self->config.jobs,
                                 .ticket = &self->ticket, .talk = &self->talk, .verbose = self->cli->verbose > 0 };
    if (rc == 0)
        cli_note (self->cli, "starting workers on %zu host%s by ssh", self->remote, self->remote == 1 ? "" : "s");
    return rc ? rc : ssh_start (&self->ssh, &self->hosts, &config);
}

void
cluster_listens (struct cluster *self, const char *endpoint)
{
    if (!self->listens[0] && strncmp (endpoint, "tcp://", 6) == 0)
        snprintf (self->listens, sizeof self->listens, "%s", endpoint);
}

/*  As the nodes see it: an address that stands for all becomes this machine's. */
static int
address_for_nodes (struct cluster *self)
{
    struct endpoint bound;
    char name[256] = "";
    int rc = endpoint_parse (&bound, self->listens, ENDPOINT_BIND);
    if (rc)
        return rc;
    const char *host = self->options->head_address;
    bool any = strcmp (bound.host, "*") == 0 || strcmp (bound.host, "0.0.0.0") == 0 || strcmp (bound.host, "::") == 0;
    if (!host && any) {
        gethostname (name, sizeof name - 1);
        host = name;
    }
    host = host ? host : bound.host;
    bool ipv6 = strchr (host, ':') && *host != '[';
    snprintf (self->ticket.connect, sizeof self->ticket.connect, "tcp://%s%s%s:%d", ipv6 ? "[" : "", host,
              ipv6 ? "]" : "", bound.port);
    return endpoint_parse (&bound, self->ticket.connect, ENDPOINT_CONNECT);
}

static int
start_slurm (struct cluster *self)
{
    int rc = self->listens[0] ? 0 : weft_pool_bind (self->pool, "tcp://*:0");
    if (rc == 0)
        cluster_listens (self, weft_pool_endpoint (self->pool));
    rc = rc ? rc : address_for_nodes (self);
    rc = rc ? rc : ticket_add (&self->ticket, "slots", self->config.jobs);
    struct pilot_config config = { .dir = self->options->slurm_dir, .weft = self->options->remote_weft,
                                   .nodes = self->options->nodes, .lifetime = self->options->lifetime,
                                   .jobs = self->config.jobs, .sbatch = &self->options->sbatch,
                                   .ticket = &self->ticket };
    return rc ? rc : slurm_start (&self->slurm, &config, &self->talk);
}

/* ------------------------------------------------------------ while the run lasts */

static void
say_waiting (struct cluster *self)
{
    bool error;
    for (char *line; (line = talk_next (&self->talk, &error)); free (line)) {
        progress_clear (self->progress);
        if (error)
            cli_error (self->cli, "%s", line);
        else
            cli_note (self->cli, "%s", line);
    }
}

/*  Once, when it is known of all hosts whether they take part. */
static void
tell_who_came (struct cluster *self, const weft_pool_stats_t *stats)
{
    unsigned there = self->ssh.there;
    if (self->told || self->ssh.starting || stats->workers < there + self->local || !there)
        return;
    self->told = true;
    progress_clear (self->progress);
    cli_note (self->cli, "%u of %zu host%s %s there: %llu slot%s in all", there, self->remote,
              self->remote == 1 ? "" : "s", there == 1 ? "is" : "are", (unsigned long long) stats->slots,
              stats->slots == 1 ? "" : "s");
}

static int
cluster_turn (void *arg)
{
    struct cluster *self = arg;
    weft_pool_stats_t stats;
    say_waiting (self);
    weft_pool_stats (self->pool, &stats);
    tell_who_came (self, &stats);
    slurm_work (&self->slurm, stats.waiting > 0 || (stats.done < stats.submitted && stats.workers == 0));
    bool none = !self->ssh.starting && !self->ssh.there && !self->slurm.trying && !self->local && !self->config.others;
    if (none && stats.done < stats.submitted)
        return error_set (WEFT_ENOPEER, "there is no machine left to run jobs on");
    return 0;
}

static void
cluster_event (void *arg, const weft_pool_event_t *event)
{
    struct cluster *self = arg;
    slurm_event (&self->slurm, event);
}

int
cluster_start (struct cluster *self, weft_pool_t *pool, struct jobhead *head, const struct cluster_config *config)
{
    self->config = *config;
    self->pool = pool;
    self->progress = &head->view.progress;
    int rc = talk_init (&self->talk);
    rc = rc ? rc : fill_ticket (self);
    if (rc == 0 && self->remote)
        rc = start_ssh (self);
    if (rc == 0 && self->options->nodes)
        rc = start_slurm (self);
    if (rc == 0)
        head->side = (struct jobhead_side){ .self = self, .fd = self->talk.fd, .turn = cluster_turn,
                                            .event = cluster_event };
    return rc;
}

void
cluster_stop (struct cluster *self)
{
    if (!self->pool)
        return;
    ssh_stop (&self->ssh);
    slurm_stop (&self->slurm);
    say_waiting (self);
    talk_free (&self->talk);
    self->pool = NULL;
}
