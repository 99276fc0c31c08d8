# What `make install` and `make dist` lay down: the program, DuckDB's library beside it (every other library is a Debian
# package), a service for systemd and its user, and what one reads.
install(TARGETS kehu RUNTIME DESTINATION bin)
# Changed here and not by install(TARGETS), which would leave an empty entry in the RPATH of the build tree: the current
# directory, for every library.
install(CODE [[
  file(RPATH_CHANGE FILE "$ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}/bin/kehu"
       OLD_RPATH "$ORIGIN/../../third_party/duckdb" NEW_RPATH "$ORIGIN/../lib/kehu")
]])
install(FILES ${KEHU_DUCKDB}/libduckdb.so DESTINATION lib/kehu)
install(FILES packaging/kehu.sysusers DESTINATION lib/sysusers.d RENAME kehu.conf)
install(CODE "set(unit \"${CMAKE_SOURCE_DIR}/packaging/kehu.service.in\")")
install(CODE [[
  set(folder lib/systemd/system)
  configure_file("${unit}" "$ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}/${folder}/kehu.service" @ONLY)
  message(STATUS "Installing: $ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}/${folder}/kehu.service")
]])
install(FILES LICENSE README.md THIRD_PARTY.md DESTINATION share/doc/kehu)
install(DIRECTORY docs DESTINATION share/doc/kehu)
install(DIRECTORY examples DESTINATION share/kehu)
install(FILES ${KEHU_DUCKDB}/LICENSE DESTINATION share/doc/kehu/third_party RENAME duckdb.LICENSE)
install(FILES third_party/analytics-next/LICENSE.MD DESTINATION share/doc/kehu/third_party OPTIONAL
        RENAME analytics-next.LICENSE)
