/*  completion.c - bash completion, made from the entries of the commands */

#include <string.h>

#include "cli/help.h"

/*  Options of a command as words: "--linger --hwm ...". */
static void
completion_options (const struct command *command, FILE *out)
{
    struct option_group groups[COMMAND_TABLES_MAX + 2];
    command_groups (command, groups);
    fprintf (out, "        %s) options='", command->name);
    for (const struct option_group *group = groups; group->table; group++)
        for (const struct option *each = group->table; each->name; each++)
            if (!(each->flags & OPTION_HIDDEN))
                fprintf (out, "--%s ", each->name);
    fputs ("' ;;\n", out);
}

/*  The words that an option with choices takes, after the option; each once. */
static void
completion_choices (const struct command *command, FILE *out)
{
    struct option_group groups[COMMAND_TABLES_MAX + 2];
    command_groups (command, groups);
    for (const struct option_group *group = groups; group->table; group++)
        for (const struct option *each = group->table; each->name; each++)
            if (each->type == OPTION_CHOICE && !(each->flags & OPTION_HIDDEN)) {
                fprintf (out, "        %s:--%s) choices='", command->name, each->name);
                for (const char *next = each->choices; *next; next++)
                    fputc (*next == '|' ? ' ' : *next, out);
                fputs ("' ;;\n", out);
            }
}

/*  The words that the first operand is one of. */
static void
completion_words (const struct command *command, FILE *out)
{
    if (!command->words)
        return;
    fprintf (out, "        %s:2) choices='", command->name);
    for (const char *next = command->words; *next; next++)
        fputc (*next == '|' ? ' ' : *next, out);
    fputs ("' ;;\n", out);
}

void
completion_bash (FILE *out)
{
    fputs ("# bash completion for weft; made by 'weft help --completion bash'\n"
           "_weft ()\n{\n"
           "    local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} options= choices=\n"
           "    local commands='",
           out);
    for (const struct command *const *each = commands; *each; each++)
        fprintf (out, "%s ", (*each)->name);
    fputs ("'\n    COMPREPLY=()\n"
           "    if ((COMP_CWORD == 1)) || [[ ${COMP_WORDS[1]} == help && $word != -* ]]; then\n"
           "        COMPREPLY=($(compgen -W \"$commands\" -- \"$word\"))\n"
           "        return\n"
           "    fi\n"
           "    case ${COMP_WORDS[1]}:$previous in\n",
           out);
    for (const struct command *const *each = commands; *each; each++)
        completion_choices (*each, out);
    fputs ("    esac\n"
           "    case ${COMP_WORDS[1]}:$COMP_CWORD in\n",
           out);
    for (const struct command *const *each = commands; *each; each++)
        completion_words (*each, out);
    fputs ("    esac\n"
           "    [[ $word == -* ]] && choices=\n"
           "    if [[ $choices ]]; then\n"
           "        COMPREPLY=($(compgen -W \"$choices\" -- \"$word\"))\n"
           "        return\n"
           "    fi\n"
           "    case ${COMP_WORDS[1]} in\n",
           out);
    for (const struct command *const *each = commands; *each; each++)
        completion_options (*each, out);
    fputs ("    esac\n"
           "    [[ $word == -* ]] && COMPREPLY=($(compgen -W \"$options\" -- \"$word\"))\n"
           "}\n"
           "complete -o default -F _weft weft\n",
           out);
}
