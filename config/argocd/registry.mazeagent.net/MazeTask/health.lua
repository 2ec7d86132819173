-- Health of a MazeTask for Argo CD, by the same conditions that kstatus reads. Only Lua's base library is needed.

local function condition(name)
  for _, c in ipairs((obj.status or {}).conditions or {}) do
    if c.type == name then
      return c
    end
  end
  return {}
end

local function health(status, message)
  return {status = status, message = message}
end

if obj.metadata.deletionTimestamp then
  return health("Progressing", "the task is being deleted")
end

-- Conditions of another generation say nothing about this one.
if not obj.status or obj.status.observedGeneration ~= obj.metadata.generation then
  return health("Progressing", "the operator has not judged generation " .. tostring(obj.metadata.generation) .. " yet")
end

local ready, stalled, placeable = condition("Ready"), condition("Stalled"), condition("Placeable")

if stalled.status == "True" then
  local message = stalled.message
  -- The message of a condition Registered that holds the task back tells this itself.
  if obj.status.entry and stalled.reason ~= condition("Registered").reason then
    message = message .. "; generation " .. tostring(obj.status.entry.generation) .. " is still served"
  end
  return health("Degraded", message)
end

if ready.status == "True" then
  local message = ready.message
  -- Healthy all the same: nodes may be added for the task, and an autoscaler does so only if it is used.
  if placeable.status == "False" then
    message = message .. "; " .. placeable.message
  end
  return health("Healthy", message)
end

return health("Progressing", ready.message or "the operator has not set the condition Ready yet")
