/*  pool_spawn.c - what a job is started with: its arguments, its environment, its input */

#include "patterns/pool_spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codec/pool_command.h"
#include "core/error.h"

/*  What a job finds in its environment; the PARALLEL_ ones are GNU parallel's names. */
#define THREADS "OMP_NUM_THREADS"
#define VARIABLES 6
struct spawn_variables {
    char text[VARIABLES][48];
    char threads[48];           /*  OMP_NUM_THREADS, where nobody has set it */
};
static const char *const variable_names[VARIABLES] = {
    "WEFT_JOB", "WEFT_ATTEMPT", "WEFT_SLOT", "PARALLEL_SEQ", "PARALLEL_JOBSLOT", "WEFT_CORES"
};

static bool
is_variable (const char *text)
{
    for (int i = 0; i < VARIABLES; i++) {
        size_t size = strlen (variable_names[i]);
        if (strncmp (text, variable_names[i], size) == 0 && text[size] == '=')
            return true;
    }
    return false;
}

/*  A copy of the environment, so that nobody changes it under us. */
static int
copy_environment (struct spawn *self)
{
    size_t count = 0, used = VARIABLES;
    while (environ[count])
        count++;
    self->variables = calloc (1, sizeof *self->variables);
    self->envp = calloc (count + VARIABLES + 2, sizeof *self->envp);
    if (!self->variables || !self->envp)
        return error_plain (WEFT_ENOMEM);
    for (int i = 0; i < VARIABLES; i++) {
        self->envp[i] = self->variables->text[i];
        snprintf (self->envp[i], sizeof self->variables->text[i], "%s=", variable_names[i]);
    }
    for (size_t i = 0; i < count; i++)
        if (!is_variable (environ[i]) && !(self->envp[used++] = strdup (environ[i])))
            return error_plain (WEFT_ENOMEM);
    strcpy (self->variables->threads, THREADS "=");
    self->threads = getenv (THREADS) ? NULL : &self->envp[used];
    return 0;
}

int
spawn_init (struct spawn *self, const char *shell, const char *dir, const char *exec)
{
    *self = (struct spawn) { .shell = shell, .dir = dir, .exec = exec, .pipes = PROCESS_NO_PIPES };
    buffer_init (&self->text, 0);
    self->null = open ("/dev/null", O_RDONLY | O_CLOEXEC);
    return self->null < 0 ? error_errno ("cannot open /dev/null") : copy_environment (self);
}

void
spawn_free (struct spawn *self)
{
    if (self->threads)
        *self->threads = NULL;
    for (size_t i = VARIABLES; self->envp && self->envp[i]; i++)
        free (self->envp[i]);
    if (self->null > 0) {
        close (self->null);
        process_unprepare (&self->pipes);
    }
    buffer_free (&self->text);
    free (self->argv);
    free (self->envp);
    free (self->variables);
}

void
spawn_prepare (struct spawn *self)
{
    if (process_prepare (&self->pipes))
        return;                     /*  who starts the job will say so */
}

static int
room_for_words (struct spawn *self, size_t words)
{
    if (words + 1 <= self->argv_room)
        return 0;
    char **argv = realloc (self->argv, (words + 1) * sizeof *argv);
    if (!argv)
        return error_plain (WEFT_ENOMEM);
    self->argv = argv;
    self->argv_room = words + 1;
    return 0;
}

/*  argv from a vector: first all texts, then, when they move no more, where they are. */
static int
prepare_vector (struct spawn *self, const struct pool_spec *spec, struct pool_reader *arguments, int number)
{
    struct pool_bytes argument;
    int rc = room_for_words (self, spec->argc);
    for (size_t i = 0; rc == 0 && i < spec->argc; i++) {
        rc = pool_next_argument (arguments, &argument);
        if (rc >= 0)
            rc = command_fill (&self->text, argument.data, argument.size, spec->mark.data, spec->mark.size, number);
    }
    if (rc)
        return rc;
    char *text = buffer_data (&self->text);
    for (size_t i = 0; i < spec->argc; i++, text += strlen (text) + 1)
        self->argv[i] = text;
    self->argv[spec->argc] = NULL;
    return 0;
}

static int
prepare_command (struct spawn *self, const struct pool_spec *spec, int number, bool by_shell)
{
    static char sh[] = "/bin/sh", option[] = "-c";
    int rc =
        command_fill (&self->text, spec->command.data, spec->command.size, spec->mark.data, spec->mark.size, number);
    if (rc)
        return rc;
    char *text = buffer_data (&self->text);
    size_t words = by_shell ? 0 : command_words (text);
    rc = room_for_words (self, words > 3 ? words : 3);
    if (rc)
        return rc;
    if (words)
        command_split (text, self->argv);
    else {
        self->argv[0] = self->shell ? (char *) (uintptr_t) self->shell : sh;
        self->argv[1] = option;
        self->argv[2] = text;
        self->argv[3] = NULL;
    }
    return 0;
}

/*  Digits by hand: printf takes longer than some of the system calls of a job. */
static void
set_variable (char *text, unsigned long long value)
{
    char digits[24], *first = digits + sizeof digits;
    *--first = '\0';
    do
        *--first = (char) ('0' + value % 10);
    while (value /= 10);
    strcpy (strchr (text, '=') + 1, first);
}

static void
set_variables (struct spawn *self, const struct spawn_job *job, const struct pool_spec *spec)
{
    unsigned cores = spec->cores > 1 ? (unsigned) spec->cores : 1;
    unsigned long long values[VARIABLES] = {
        job->id, (unsigned) POOL_ATTEMPT_NUMBER (job->attempt), (unsigned) job->slot,
        spec->number ? spec->number : job->id, (unsigned) job->slot, cores
    };
    for (int i = 0; i < VARIABLES; i++)
        set_variable (self->variables->text[i], values[i]);
    if (self->threads) {
        set_variable (self->variables->threads, cores);
        *self->threads = cores > 1 ? self->variables->threads : NULL;
    }
}

/*  A message is for the command that was given for all of them. */
static int
choose_command (const struct spawn *self, struct pool_spec *spec)
{
    if (!spec->message)
        return 0;
    if (!self->exec)
        return error_set (WEFT_ENOTSUP, "it is a message, and this worker has nothing to give it to: start one with "
                          "--exec COMMAND or --filter COMMAND, or in a program with weft_worker_on_message");
    spec->command = (struct pool_bytes) { self->exec, strlen (self->exec) };
    spec->mark.size = 0;
    return 0;
}

int
spawn_job (struct spawn *self, const struct spawn_job *job, struct process *process, struct pool_spec *spec,
           int *failure)
{
    struct pool_reader arguments;
    int rc = pool_get_spec (spec, job->spec, &arguments);
    rc = rc ? rc : choose_command (self, spec);
    if (rc)
        return rc;
    set_variables (self, job, spec);

    bool by_shell = self->shell != NULL;
    for (int attempt = 0; attempt < 2; attempt++) {
        buffer_clear (&self->text);
        rc = spec->argc ? prepare_vector (self, spec, &arguments, job->slot)
                        : prepare_command (self, spec, job->slot, by_shell);
        if (rc)
            return rc;
        struct process_spec what = { .argv = self->argv,
                                     .envp = self->envp,
                                     .dir = self->dir,
                                     .null = self->null,
                                     .pipes = &self->pipes,
                                     .group = job->group,
                                     .input = spec->input.data,
                                     .input_size = spec->input.size };
        rc = process_spawn (process, &what, failure);
        if (*failure != ENOEXEC || by_shell || spec->argc)
            break;
        by_shell = true;            /*  a script without #!, which a shell would run */
    }
    return rc;
}
