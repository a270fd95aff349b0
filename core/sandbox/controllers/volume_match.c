/*
 * volume_match: see volumes.h. Decodes both objects as core/model does, so that the sandbox's binder and the scheduler can never be of two
 * minds about a volume.
 */
#include "core/sandbox/controllers/volumes.h"

#include <stint/model.h>

struct volume_match volume_match(const struct stint_json *volume, const struct stint_json *claim)
{
	struct stint_model *model = stint_model_new();
	const struct stint_decode_as as_volume = {.kind = STINT_KIND_VOLUME}, as_claim = {.kind = STINT_KIND_VOLUME_CLAIM};
	struct stint_object *left = stint_object_from_json(model, &as_volume, volume, NULL);
	struct stint_object *right = stint_object_from_json(model, &as_claim, claim, NULL);
	struct volume_match match = {0};
	if (left && right) {
		const struct stint_volume *seen = stint_volume_of(left);
		match.meant = seen->claim_name && stint_volume_is_for(seen, stint_volume_claim_of(right));
		match.serves = stint_volume_serves(seen, stint_volume_claim_of(right));
		match.bytes = seen->bytes;
	}
	stint_object_unref(left);
	stint_object_unref(right);
	stint_model_free(model);
	return match;
}
