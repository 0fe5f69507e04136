/*  completion.c - bash completion, made from the entries of the commands */

#include <string.h>

#include "cli/help.h"

/*  Options of a command as words, "--linger --hwm ...", when its first operand is like `word`. */
static void
completion_options (const struct command *command, const char *word, FILE *out)
{
    struct option_group groups[COMMAND_TABLES_MAX + 2];
    command_groups (command, groups);
    fprintf (out, "        %s:%s) options='", command->name, word);
    for (const struct option_group *group = groups; group->table; group++)
        for (const struct option *each = group->table; each->name; each++)
            if (!(each->flags & OPTION_HIDDEN))
                fprintf (out, "--%s ", each->name);
    fputs ("' ;;\n", out);
}

/*  The same for each of the words that make it another. */
static void
completion_narrowed (const struct command *command, FILE *out)
{
    struct command narrowed;
    struct command_table tables[COMMAND_TABLES_MAX + 1];
    char word[32];
    size_t size;
    for (const char *next = command->words; command->narrow && *next; next += size + (next[size] == '|')) {
        size = strcspn (next, "|");
        snprintf (word, sizeof word, "%.*s", (int) size, next);
        if (command->narrow (command, word, &narrowed, tables))
            completion_options (&narrowed, word, out);
    }
}

/*  The words that an option with choices takes, after the option; each once. */
static void
completion_choices (const struct command *command, FILE *out)
{
    struct option_group groups[COMMAND_TABLES_MAX + 2];
    command_groups (command, groups);
    for (const struct option_group *group = groups; group->table; group++)
        for (const struct option *each = group->table; each->name; each++)
            if (each->choices && !(each->flags & OPTION_HIDDEN)) {
                fprintf (out, "        %s:--%s) choices='", command->name, each->name);
                for (const char *next = each->choices; *next; next++)
                    fputc (*next == '|' ? ' ' : *next, out);
                fputs ("' ;;\n", out);
            }
}

/*  The words that the first operand is one of, after `place`: its place in the line, or the word before it. */
static void
completion_words (const struct command *command, const char *place, FILE *out)
{
    if (!command->words)
        return;
    fprintf (out, "        %s) choices='", place);
    for (const char *next = command->words; *next; next++)
        fputc (*next == '|' ? ' ' : *next, out);
    fputs ("' ;;\n", out);
}

void
completion_bash (FILE *out)
{
    char place[64];
    fputs ("# bash completion for weft; made by 'weft help --completion bash'\n"
           "_weft ()\n{\n"
           "    local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} options= choices=\n"
           "    local commands='",
           out);
    for (const struct command *const *each = commands; *each; each++)
        fprintf (out, "%s ", (*each)->name);
    fputs ("'\n    COMPREPLY=()\n"
           "    if ((COMP_CWORD == 1)) || [[ ${COMP_WORDS[1]} == help && $previous != bridge && $word != -* ]]; then\n"
           "        COMPREPLY=($(compgen -W \"$commands\" -- \"$word\"))\n"
           "        return\n"
           "    fi\n"
           "    case ${COMP_WORDS[1]}:$previous in\n",
           out);
    for (const struct command *const *each = commands; *each; each++) {
        completion_choices (*each, out);
        snprintf (place, sizeof place, "help:%s", (*each)->name);
        if ((*each)->narrow)
            completion_words (*each, place, out);
    }
    fputs ("    esac\n"
           "    case ${COMP_WORDS[1]}:$COMP_CWORD in\n",
           out);
    for (const struct command *const *each = commands; *each; each++) {
        snprintf (place, sizeof place, "%s:2", (*each)->name);
        completion_words (*each, place, out);
    }
    fputs ("    esac\n"
           "    [[ $word == -* ]] && choices=\n"
           "    if [[ $choices ]]; then\n"
           "        COMPREPLY=($(compgen -W \"$choices\" -- \"$word\"))\n"
           "        return\n"
           "    fi\n"
           "    case ${COMP_WORDS[1]}:${COMP_WORDS[2]} in\n",
           out);
    for (const struct command *const *each = commands; *each; each++) {
        completion_narrowed (*each, out);
        completion_options (*each, "*", out);
    }
    fputs ("    esac\n"
           "    [[ $word == -* ]] && COMPREPLY=($(compgen -W \"$options\" -- \"$word\"))\n"
           "}\n"
           "complete -o default -F _weft weft\n",
           out);
}
