/* SPDX-License-Identifier: MPL-2.0 */
/* Spaces, for bring-up and its end. */
#ifndef FRAMEHOLD_SRC_SPACE_H
#define FRAMEHOLD_SRC_SPACE_H

/* Forgets what CPUs run on. One CPU: fh_fini(). */
void fh_space_close(void);

#endif /* FRAMEHOLD_SRC_SPACE_H */
