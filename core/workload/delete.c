/*
 * delete: an object that is to be gone. See delete.h.
 */
#include "delete.h"

bool delete_or_gone(struct stint_kube *kube, const struct stint_kube_resource *resource, const char *space, const char *name,
	const char *uid, struct stint_error **err)
{
	const struct stint_kube_delete_options options = {.uid = uid};
	stint_auto_error *error = NULL;
	if (stint_kube_delete(kube, resource, space, name, &options, &error) || error->code == STINT_NOT_FOUND)
		return true;
	return stint_error_move(err, &error);
}
