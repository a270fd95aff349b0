/*
 * Libraries that are loaded when they are needed.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include <stint/base.h>

bool stint_library_load(const char *file, const char *const *names, void *functions, size_t count, struct stint_error **err)
{
	void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
	if (!library)
		return stint_fail(err, STINT_FAILED, "%s cannot be loaded: %s", file, dlerror());
	/* POSIX lets a function's address stand in a void pointer; through memory, because C does not know of it. */
	stint_autofree void **found = stint_alloc((count + 1) * sizeof(*found));
	for (size_t at = 0; at < count; at++) {
		found[at] = dlsym(library, names[at]);
		if (!found[at]) {
			stint_fail(err, STINT_FAILED, "%s has no function %s: install a newer one", file, names[at]);
			dlclose(library);
			return false;
		}
	}
	memcpy(functions, found, count * sizeof(*found));
	return true;
}
