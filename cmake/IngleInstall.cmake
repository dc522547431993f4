# What `make install` adds to the program: the man page and the completions that it writes itself, and the units of
# packaging/. Checked by tests/cli/test_install.py and test_units.py.
if(NOT TARGET ingle)
  return()
endif()
install(CODE "set(ingle \"${CMAKE_RUNTIME_OUTPUT_DIRECTORY}/ingle\")")
install(CODE [[
  function(install_output path)
    set(file "$ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}/share/${path}")
    cmake_path(GET file PARENT_PATH folder)
    file(MAKE_DIRECTORY "${folder}")
    message(STATUS "Installing: ${file}")
    execute_process(COMMAND ${ingle} ${ARGN} OUTPUT_FILE "${file}" COMMAND_ERROR_IS_FATAL ANY)
  endfunction()
  install_output(man/man1/ingle.1 man)
  install_output(bash-completion/completions/ingle completion bash)
  install_output(zsh/site-functions/_ingle completion zsh)
  install_output(fish/vendor_completions.d/ingle.fish completion fish)
]])

# The units name the program by its path, which is only known now.
install(CODE "set(packaging \"${CMAKE_SOURCE_DIR}/packaging\")")
install(CODE [[
  set(INGLE_PROGRAM "${CMAKE_INSTALL_PREFIX}/bin/ingle")
  string(REPLACE "%" "%%" INGLE_PROGRAM "${INGLE_PROGRAM}")
  function(install_unit path from)
    set(file "$ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}/lib/${path}")
    message(STATUS "Installing: ${file}")
    configure_file("${packaging}/${from}" "${file}" @ONLY NEWLINE_STYLE UNIX
                   FILE_PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
  endfunction()
  install_unit(systemd/system/ingle.service systemd/ingle.service.in)
  install_unit(systemd/user/ingle.service systemd/ingle-user.service.in)
  install_unit(sysusers.d/ingle.conf systemd/sysusers.conf)
]])
