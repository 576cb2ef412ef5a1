/* The formats that the program has; --format names one of them. */
#include "export/record.h"

#include "common/base/banned.h"

const struct export_format *const EXPORT_FORMATS[] = { &EXPORT_JSONL, &EXPORT_HTML, &EXPORT_SLACK, &EXPORT_CSV,
	                                                       &EXPORT_EML, &EXPORT_RSMF, &EXPORT_BULK, NULL };
