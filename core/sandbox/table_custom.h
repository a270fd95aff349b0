/*
 * table_custom: columns of custom kinds, as the additionalPrinterColumns of their CustomResourceDefinition say.
 */
#ifndef STINT_SANDBOX_TABLE_CUSTOM_H
#define STINT_SANDBOX_TABLE_CUSTOM_H

#include "rest.h"

/* False when the definition names no columns: then Age alone. */
bool table_custom_columns(struct stint_buf *out, const struct stint_kind *kind);
bool table_custom_cells(struct stint_json *cells, const struct stint_kind *kind, const struct stint_json *object);

#endif
