/* webdav: the steps by which a segment becomes a file on a server with HTTPS PUT, and MOVE where it has that.
 */
#ifndef WEBDAV_H
#define WEBDAV_H
#include "upload.h"

/* Prepare the first request. */
void webdav_start(struct upload *u);
/* Judge u->transfer.res: UPLOAD_GOES_ON with the next request prepared, or a verdict. */
enum verdict webdav_next(struct upload *u);
#endif
