/*  bridge_options.c - the options of a bridge */

#include "adapters/bridge_threads.h"

#define AT(field) offsetof (struct bridge_config, field)

const struct option bridge_options[] = {
    { .name = "listen", .letter = 'l', .type = OPTION_LIST, .argument = "ADDRESS", .offset = AT (listen),
      .text = "take in foreign connections at HOST:PORT, or unix:PATH; says the address it got" },
    { .name = "dial", .letter = 'd', .type = OPTION_LIST, .argument = "ADDRESS", .offset = AT (dial),
      .text = "connect to a foreign server at HOST:PORT, or unix:PATH, and again when that ends" },
    { .name = "push", .type = OPTION_LIST, .argument = "ENDPOINT", .offset = AT (push),
      .text = "push each message that comes from outside" },
    { .name = "pub", .type = OPTION_LIST, .argument = "ENDPOINT", .offset = AT (pub),
      .text = "publish each message that comes from outside" },
    { .name = "req", .type = OPTION_LIST, .argument = "ENDPOINT", .offset = AT (req),
      .text = "each message from outside is a request, whose reply goes back to its client" },
    { .name = "pull", .type = OPTION_LIST, .argument = "ENDPOINT", .offset = AT (pull),
      .text = "what is pushed there goes to one connection, in turn" },
    { .name = "sub", .type = OPTION_LIST, .argument = "ENDPOINT", .offset = AT (sub),
      .text = "what is published there goes to every connection" },
    { .name = "rep", .type = OPTION_LIST, .argument = "ENDPOINT", .offset = AT (rep),
      .text = "requests that come there go to a foreign server, which answers; one at a time on each connection" },
    { .name = "connections", .type = OPTION_INT, .argument = "N", .standard = "1", .min = 1, .max = 1000,
      .offset = AT (connections),
      .text = "connections to each --dial of --rep or --pull: with --rep so many requests are under way at once" },
    { .name = "relay", .type = OPTION_FLAG, .offset = AT (relay),
      .text = "each message from outside goes to all other connections" },
    { .name = "subscribe", .letter = 's', .type = OPTION_LIST, .argument = "TOPIC", .offset = AT (subscribe),
      .text = "a topic of --sub; without any, all" },
    { .name = "allow-host", .type = OPTION_LIST, .argument = "NAME", .offset = AT (allow_host),
      .text = "http and ws: a name by which clients may call what listens (Host), * for all. Without any: on loopback "
              "localhost and addresses, which are always allowed there, elsewhere all" },
    { .name = "topic", .letter = 't', .type = OPTION_TEXT, .argument = "TEMPLATE", .offset = AT (topic),
      .text = "what --pub puts in front, as a frame: %p the peer's address, %a the adapter, and what --format of "
              "weft sub knows" },
    { .name = "topic-linger", .type = OPTION_TIME, .argument = "TIME", .standard = "60s", .max = SOCKET_DAY,
      .offset = AT (topic_linger),
      .text = "where connections say what they want of --sub: how long a topic stays asked for that nobody wants any "
              "more, so that who comes back has missed nothing" },
    { .name = "format", .type = OPTION_TEXT, .argument = "TEMPLATE", .offset = AT (format),
      .text = "what connections get of what came by --relay, --sub or --pull: %p the peer, %m the message" },
    { .name = "origin", .type = OPTION_FLAG, .offset = AT (origin),
      .text = "add a frame before the message that says whence it came: adapter, peer and time, in MessagePack" },
    { .name = "timeout", .type = OPTION_TIME, .argument = "TIME", .standard = "30s", .min = TIME_MS,
      .max = SOCKET_DAY, .offset = AT (timeout), .text = "how long a request waits for its reply" },
    { .name = "in-flight", .type = OPTION_INT, .argument = "N", .standard = "64", .min = 1, .max = 65536,
      .offset = AT (in_flight), .text = "requests of one connection under way; with more it is not read" },
    { .name = "when-full", .type = OPTION_CHOICE, .argument = "POLICY", .standard = "drop",
      .choices = "block|drop|disconnect", .offset = AT (when_full),
      .text = "a connection does not read what --relay or --sub have for it, and its queue is full: hold up all, drop "
              "its oldest messages, or disconnect it" },
    { .name = "threads", .type = OPTION_INT, .argument = "N", .standard = "1", .min = 1, .max = BRIDGE_THREADS_MAX,
      .offset = AT (threads),
      .text = "share connections out to so many threads: those of --listen, where --push, --req, --pub and --sub "
              "connect" },
    OPTION_END
};

const struct option bridge_socket_options[] = { OPTIONS_OF_WIRE_UP_TO ("1M"), OPTION_END };
