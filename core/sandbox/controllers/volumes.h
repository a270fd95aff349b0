/*
 * volumes: which volume serves which claim, and the provisioner of the sandbox's StorageClass. Pure: objects as JSON come in.
 */
#ifndef STINT_SANDBOX_VOLUMES_H
#define STINT_SANDBOX_VOLUMES_H

#include <stint/text.h>

#define SANDBOX_PROVISIONER "virtual.stint.dev"

/* The volume names the claim (meant), or could be its; the answer of core/model, which the scheduler asks, too. */
struct volume_match {
	bool serves, meant;
	int64_t bytes;
};
struct volume_match volume_match(const struct stint_json *volume, const struct stint_json *claim);

#endif
