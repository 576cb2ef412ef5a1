/*
 * Everything that is printed from the tables of option.h: help, manual sections, completions, JSON.
 * Writes into buffers; ark_answer is the one that chooses. Not for values, except ark_show_config.
 */
#ifndef ARK_CLI_RENDER_H
#define ARK_CLI_RENDER_H

#include "common/base/buf.h"
#include "common/cli/args.h"
#include "common/cli/talk.h"

/* Columns of --help; nothing is wider. */
#define ARK_HELP_COLUMNS 80

/* --help of the tool (command NULL) or of one command. */
void ark_render_help(const struct ark_tool *tool, const struct ark_command *command,
                     struct ark_buf *out);
/* The sections COMMANDS, OPTIONS, ENVIRONMENT, FILES and EXIT STATUS of man page section 1, in the
 * man macro package. */
void ark_render_man(const struct ark_tool *tool, struct ark_buf *out);
/* Completion scripts: to be sourced by bash, to stand in zsh's $fpath as _TOOL, to be read by fish.
 * Without hidden options. */
void ark_render_bash(const struct ark_tool *tool, struct ark_buf *out);
void ark_render_zsh(const struct ark_tool *tool, struct ark_buf *out);
void ark_render_fish(const struct ark_tool *tool, struct ark_buf *out);
/* Tool, commands, options and exit codes as one JSON document. */
void ark_render_json(const struct ark_tool *tool, struct ark_buf *out);

/* The help text of an option and what else the table knows: default, words, "may be repeated". */
void ark_describe(const struct ark_option *option, struct ark_buf *out);

/* After ark_args_read said ARK_END: print what was asked for to standard output. Call ark_finish
 * behind it. */
void ark_answer(const struct ark_args *args, struct ark_talk *talk);

/*
 * --show-config: each option of the command with its value and where it came from; secrets as ***.
 * `config` is the struct that ark_args_read filled. Under --json one object per option
 * (message_type "option").
 */
void ark_show_config(const struct ark_args *args, const void *config, struct ark_talk *talk);

#endif
