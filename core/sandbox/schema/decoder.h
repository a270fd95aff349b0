/*
 * decoder: the decoding of one object on its way, shared by decode.c (values, fields, what is not known) and read.c (bytes, duplicate keys,
 * what a client is told). Not for others.
 */
#ifndef STINT_SANDBOX_DECODER_H
#define STINT_SANDBOX_DECODER_H

#include "core/sandbox/schema/types.h"

struct schema_decoder {
	const struct stint_kind *kind;
	struct stint_buf path;
	struct stint_json *complaints; /* array of sentences: unknown and duplicate fields */
	char *failure;
};

void schema_complain(struct schema_decoder *d, const char *what, const char *path);
/* Both bring the object into the form that is stored; false: d->failure says why. */
bool schema_decode_object(struct schema_decoder *d, const struct stint_type *type, struct stint_json *object);
bool schema_prune_custom(struct schema_decoder *d, const struct stint_type *type, struct stint_json *value);

#endif
