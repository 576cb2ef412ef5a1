/*
 * A look through all messages before the import, for archives whose lists do not say enough: which
 * workspace it is, and what the people are called. Reads everything once more, so it is only made
 * when users.json is missing or names no workspace.
 */
#ifndef IMPORT_SLACK_SURVEY_H
#define IMPORT_SLACK_SURVEY_H

#include "import/slack/export.h"

/* Names of strangers go into x->people, votes of the messages' `team` into its team_votes. `tick` may
 * be NULL; something else than OK from it stops the survey. */
enum ark_rc slack_survey(struct slack_export *x,
                         enum ark_rc (*tick)(void *ctx, uint64_t messages, uint64_t bytes,
                                             struct ark_err *err),
                         void *ctx, struct ark_err *err);

#endif
