# Run by CPack on the files of the Debian package, before they are packed: what Debian's policy asks of them.

set(root ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/usr)
file(GLOB_RECURSE compressed ${root}/share/man/man1/*.1)
execute_process(COMMAND gzip -9n ${compressed} COMMAND_ERROR_IS_FATAL ANY)
file(GLOB_RECURSE archives ${root}/lib/*.a)
execute_process(COMMAND strip --strip-debug --remove-section=.comment --enable-deterministic-archives ${archives} COMMAND_ERROR_IS_FATAL ANY)
