-- Returns the record and changes nothing.
return settle(function(held)
  return not held and 'done'
end)
