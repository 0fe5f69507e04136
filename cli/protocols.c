/*  protocols.c - the words of weft bridge about each protocol */

#include "cli/protocols.h"

#include <string.h>

static const struct command_example tcp_examples[] = {
    { "weft bridge tcp --listen 127.0.0.1:65432 --framing line --req tcp://127.0.0.1:5555",
      "Beside weft rep tcp://127.0.0.1:5555 --echo: each line that nc 127.0.0.1 65432 sends is answered." },
    { "weft bridge tcp --listen 127.0.0.1:8765 --relay --format '[%p]: %m'",
      "A chat: each line goes to all others, with its sender's address." },
    { "weft bridge tcp --listen 127.0.0.1:7000 --pub tcp://127.0.0.1:6000 --topic 'tcp/%p'",
      "Publishes what comes; weft sub tcp://127.0.0.1:6000 -t tcp/ sees all of it." },
    { "weft bridge tcp --listen '*:7443' --tls --tls-cert cert.pem --tls-key key.pem --push tcp://127.0.0.1:6001",
      "Takes in lines from a network, encrypted; weft pull @tcp://127.0.0.1:6001 prints them." },
    { "weft bridge tcp --dial 127.0.0.1:7 --rep tcp://127.0.0.1:5555",
      "weft req asks a foreign server that answers lines." },
    { .line = NULL }
};

static const struct command_example udp_examples[] = {
    { "weft bridge udp --listen 127.0.0.1:5140 --pub tcp://127.0.0.1:6000 --topic 'syslog %p '",
      "Takes in syslog; weft sub tcp://127.0.0.1:6000 shows what came, and from whom." },
    { "weft bridge udp --listen 127.0.0.1:5005 --req tcp://127.0.0.1:5555",
      "Beside weft rep tcp://127.0.0.1:5555 --echo: what nc -u 127.0.0.1 5005 sends is answered." },
    { "weft bridge udp --listen '*:5005' --insecure --rate 1000 --push tcp://127.0.0.1:6001",
      "Takes in datagrams from a network, at most 1000 a second from each address." },
    { "weft bridge udp --dial 239.1.2.3:5006 --interface eth0 --sub tcp://127.0.0.1:6000",
      "Tells a multicast group what is published." },
    { .line = NULL }
};

static const struct command_example http_examples[] = {
    { "weft bridge http --listen 127.0.0.1:8080 --req tcp://127.0.0.1:5555 --mount /=req",
      "Beside weft rep tcp://127.0.0.1:5555 --exec 'jq .path': curl http://127.0.0.1:8080/items/1 prints "
      "\"/items/1\"." },
    { "weft bridge http --listen 127.0.0.1:8080 --push @tcp://127.0.0.1:6001",
      "curl --data-binary @job.json http://127.0.0.1:8080/push gives a job to a weft pull '>tcp://127.0.0.1:6001'." },
    { "weft bridge http --listen 127.0.0.1:8080 --root www --pub @tcp://127.0.0.1:6000 --sub tcp://127.0.0.1:6000",
      "A page in www/ hears new EventSource ('/sub?topic=news'), and posts to /pub/news." },
    { .line = NULL }
};

static const struct command_example ws_examples[] = {
    { "weft bridge ws --listen 127.0.0.1:8765 --relay",
      "A chat: what a page sends by new WebSocket ('ws://127.0.0.1:8765/') goes to all others." },
    { "weft bridge ws --listen 127.0.0.1:8765 --sub tcp://127.0.0.1:6000 --req tcp://127.0.0.1:5555",
      "Pages get publications at /sub?topic=news, and ask a service at /req." },
    { "weft bridge ws --dial ws://127.0.0.1:9000/ticks --pub @tcp://127.0.0.1:6000",
      "Publishes what a WebSocket server tells." },
    { .line = NULL }
};

#define REST "\n\n'weft help bridge' says what all protocols have in common."

static const struct protocol protocols[] = {
    { "tcp", "TCP", "bridge tcp", "tcp [OPTIONS] --listen|--dial ADDRESS ...", PROTOCOL_TCP REST, tcp_examples },
    { "udp", "UDP", "bridge udp", "udp [OPTIONS] --listen|--dial ADDRESS ...", PROTOCOL_UDP REST, udp_examples },
    { "http", "HTTP", "bridge http", "http [OPTIONS] --listen ADDRESS ...", PROTOCOL_HTTP REST, http_examples },
    { "ws", "WebSocket", "bridge ws", "ws [OPTIONS] --listen|--dial ADDRESS ...", PROTOCOL_WS REST, ws_examples },
};

const struct protocol *
protocol_find (const char *name)
{
    for (size_t i = 0; i < sizeof protocols / sizeof protocols[0]; i++)
        if (strcmp (protocols[i].name, name) == 0)
            return &protocols[i];
    return NULL;
}

const char *
protocol_title (const char *name)
{
    const struct protocol *found = protocol_find (name);
    return found ? found->title : name;
}
