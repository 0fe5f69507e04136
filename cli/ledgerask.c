/*  ledgerask.c - where the head of a ledger is asked, and asking it */

#include "cli/ledgerask.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/map.h"
#include "patterns/ledger.h"

#define ENDING "-head"
#define MOMENT (3 * TIME_S)         /*  for one that is the head while it changes a job     */
#define LOOK 20                     /*  ms between two looks at that                        */
#define CONNECT_TIME 3000           /*  ms until a head that lives has shaken hands     */
#define ANSWER_TIME "10s"

enum { PATH_ROOM = sizeof ((struct sockaddr_un *) 0)->sun_path, NAME_ROOM = PATH_ROOM - 32 };

/* ------------------------------------------------------------------- place */

/*  NAME-head; of a name that is too long, what stands for it. */
static void
name_of (const char *path, char name[NAME_ROOM])
{
    const char *base = strrchr (path, '/') + 1;
    if ((size_t) snprintf (name, NAME_ROOM, "%s" ENDING, base) >= NAME_ROOM)
        snprintf (name, NAME_ROOM, "weft-%016llx" ENDING, (unsigned long long) hash_bytes (base, strlen (base)));
}

int
ledgerask_place (const char *ledger, char *endpoint, size_t size, int *folder)
{
    char path[PATH_MAX], place[PATH_MAX + NAME_ROOM], name[NAME_ROOM];
    *folder = -1;
    if (!realpath (ledger, path))
        return error_errno ("%s", ledger);
    name_of (path, name);
    path[strrchr (path, '/') - path + 1] = '\0';
    snprintf (place, sizeof place, "%s%s", path, name);
    if (strlen (place) >= PATH_ROOM) {
        *folder = open (path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (*folder < 0)
            return error_errno ("%s", path);
        snprintf (place, sizeof place, "/proc/self/fd/%d/%s", *folder, name);
    }
    snprintf (endpoint, size, "ipc://%s", place);
    return 0;
}

/* ------------------------------------------------------------------ asking */

static int
converse (weft_socket_t *socket, const char *endpoint, const struct buffer *request, struct buffer *reply)
{
    weft_msg_t msg;
    weft_msg_init (&msg);
    int rc = weft_set (socket, "timeout", ANSWER_TIME);
    rc = rc ? rc : weft_set (socket, "linger", "0");
    rc = rc ? rc : weft_connect (socket, endpoint);
    if (rc == 0 && weft_wait_peers (socket, 1, CONNECT_TIME) < 0)
        rc = error_plain (WEFT_ENOPEER);
    rc = rc ? rc : weft_msg_add (&msg, buffer_data (request), buffer_size (request));
    rc = rc ? rc : weft_send (socket, &msg, 0);
    rc = rc ? rc : weft_recv (socket, &msg, 0);
    rc = rc ? rc : buffer_add (reply, weft_msg_data (&msg, 0), weft_msg_size (&msg, 0));
    weft_msg_clear (&msg);
    return rc;
}

/*  A process that is stopped shakes no hands, but the system takes connections for it. */
static bool
somebody_listens (const char *endpoint)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    snprintf (address.sun_path, sizeof address.sun_path, "%.*s", PATH_ROOM - 1, endpoint + strlen ("ipc://"));
    int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool listens = fd >= 0 && (connect (fd, (struct sockaddr *) &address, sizeof address) == 0 || errno == EAGAIN);
    int error = errno;
    if (fd >= 0)
        close (fd);
    errno = error;
    return listens;
}

/*  Who has the ledger, as it wrote into its lock: "process N on HOST". */
static void
name_head (const char *ledger, char *text, size_t size)
{
    char name[PATH_MAX], host[256] = "", pid[32] = "";
    FILE *file = snprintf (name, sizeof name, "%s-lock", ledger) < (int) sizeof name ? fopen (name, "re") : NULL;
    bool known = file && fscanf (file, "%255s %31s", host, pid) == 2;
    if (file)
        fclose (file);
    *text = '\0';
    if (known)
        snprintf (text, size, " (process %s on %s)", pid, host);
}

static int
no_answer (const char *ledger, int why)
{
    char head[320];
    name_head (ledger, head, sizeof head);
    return error_set (WEFT_ETIMEOUT, why == WEFT_ENOPEER ? "%s: its head%s does not answer, is it stopped? Nothing was "
                      "changed" : "%s: its head%s has not answered in time; it may do still what it was asked", ledger,
                      head);
}

int
ledgerask (struct cli *cli, const char *ledger, const struct buffer *request, struct buffer *reply)
{
    char endpoint[PATH_ROOM + 16];
    int folder, rc = ledgerask_place (ledger, endpoint, sizeof endpoint, &folder);
    if (rc)
        return rc;
    if (!somebody_listens (endpoint)) {
        rc = errno == EACCES ? error_set (WEFT_EACCES, "%s: its head is another user's, who alone may ask it", ledger)
                             : error_plain (WEFT_ENOPEER);
    } else {
        weft_socket_t *socket = weft_open (cli->weft, "req");
        rc = socket ? converse (socket, endpoint, request, reply) : WEFT_ENOMEM;
        weft_close (&socket);
        if (rc == WEFT_ENOPEER || rc == WEFT_ETIMEOUT)
            rc = no_answer (ledger, rc);
    }
    if (folder >= 0)
        close (folder);
    return rc;
}

/* ----------------------------------------------------------------- waiting */

/*  Is it somebody's who does not listen? */
static bool
is_busy (const char *ledger)
{
    char endpoint[PATH_ROOM + 16];
    int folder;
    if (ledger_is_held (ledger) != 1 || ledgerask_place (ledger, endpoint, sizeof endpoint, &folder))
        return false;
    bool listens = somebody_listens (endpoint);
    if (folder >= 0)
        close (folder);
    return !listens;
}

int
ledgerask_wait (struct cli *cli, const char *ledger)
{
    int64_t deadline = clock_deadline (clock_system (), MOMENT);
    weft_pollitem_t item = { .fd = cli->stop_fd, .events = WEFT_IN };
    bool told = false;
    while (is_busy (ledger) && clock_left (clock_system (), deadline) > 0) {
        if (!told)
            cli_note (cli, "%s is another's now: waiting a moment", ledger);
        told = true;
        int rc = weft_poll (&item, 1, LOOK);
        if (cli->stopped (cli))
            return error_plain (WEFT_EINTR);
        if (rc < 0 && rc != WEFT_EINTR)
            return rc;
    }
    return 0;
}
