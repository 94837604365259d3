/// Writes one reading as CONTRACT's JSON object for topic `vitals`, fields in the order of existing producers.
struct VitalsMessageWriter {
    let largeDataBytes: Int

    /// Replaces the buffer's content by the message that tells the vital signs of `told`, a subset of what the
    /// reading knows.
    func write(
        _ reading: SimulatedReading, telling told: UInt8, device: DeviceKind, patientText: UnsafePointer<UInt8>,
        into buffer: inout MessageBuffer
    ) {
        buffer.removeAll()
        Self.open(patientText, into: &buffer)
        Self.writeVitals(reading, told, device, into: &buffer)
        buffer.append(",\"timestamp\":")
        buffer.append(decimal: Int(reading.time))
        buffer.append(",\"large_data\":\"")
        buffer.append(repeating: UInt8(ascii: "x"), count: largeDataBytes)
        buffer.append("\"")
        if device != .basic { Self.writeOrigin(patient: Int(reading.patient), into: &buffer) }
        buffer.append("}")
    }

    /// The object's start with the identifier.
    static func open(_ patientText: UnsafePointer<UInt8>, into buffer: inout MessageBuffer) {
        buffer.append("{\"patientId\":\"")
        buffer.append(patientText, PatientDirectory.textLength)
        buffer.append("\"")
    }

    private static func writeVitals(
        _ reading: SimulatedReading, _ told: UInt8, _ device: DeviceKind, into buffer: inout MessageBuffer
    ) {
        for vital in Vital.allCases {
            if told & vital.bit != 0 {
                buffer.append(name(of: vital))
                buffer.append(hundredths: reading[vital])
            } else if device == .intensive {
                buffer.append(name(of: vital))
                buffer.append("null")
            }
        }
        if told & SimulatedReading.consciousnessBit != 0 {
            buffer.append(",\"consciousness\":\"")
            buffer.append(byte: SimulatedReading.consciousnessLetters.utf8Start[Int(reading.consciousness)])
            buffer.append("\"")
        }
        if told & SimulatedReading.oxygenBit != 0 {
            buffer.append(reading.oxygenGiven ? ",\"supplementalOxygen\":true" : ",\"supplementalOxygen\":false")
        }
    }

    /// The separator, the field's name and the colon.
    static func name(of vital: Vital) -> StaticString {
        switch vital {
        case .heartRate: ",\"heartRate\":"
        case .temperature: ",\"temperature\":"
        case .oxygenSaturation: ",\"oxygenSaturation\":"
        case .respiratoryRate: ",\"respiratoryRate\":"
        case .systolicPressure: ",\"systolicPressure\":"
        case .diastolicPressure: ",\"diastolicPressure\":"
        }
    }

    /// Twenty beds a sector, five sectors a facility; one device a bed.
    private static func writeOrigin(patient: Int, into buffer: inout MessageBuffer) {
        buffer.append(",\"facilityId\":\"facility-")
        buffer.append(decimal: patient / 100 + 1)
        buffer.append("\",\"sectorId\":\"sector-")
        buffer.append(decimal: patient / 20 + 1)
        buffer.append("\",\"deviceId\":\"monitor-")
        buffer.append(decimal: patient + 1)
        buffer.append("\"")
    }
}
