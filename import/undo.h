/* The command undo: what load/undo.h does, told to people and programs, and the file store cleared. */
#ifndef IMPORT_UNDO_H
#define IMPORT_UNDO_H

#include "import/app.h"

/* Exit code, or a failure. */
int undo_run(struct app *a, struct ark_err *err);

#endif
