internal import Service

/// Whether a certificate still holds, and for how long.
enum CheckCertificate {
    private static let warningDays: Int64 = 30

    /// Judges one certificate.
    /// - Parameters:
    ///   - owner: whose it is, for the sentence: `of the broker db:9093`.
    ///   - renewal: what to do when it is about to end.
    static func judge(_ certificate: Certificate, _ owner: String, renewal: String, _ report: CheckReport) {
        let now = WallClock.nowMilliseconds() / 1_000
        let days = certificate.daysLeft(at: now)
        let subject = "certificate"
        if certificate.startsAt > now {
            report.add(
                .failure, subject, "\(owner) is not valid before \(certificate.startText)",
                remedy: "set the clocks right, or wait until then")
        } else if certificate.endsAt < now {
            report.add(.failure, subject, "\(owner) expired on \(certificate.endText)", remedy: renewal)
        } else if days < warningDays {
            report.add(
                .warning, subject, "\(owner) ends in \(days) days, on \(certificate.endText)", remedy: renewal)
        } else {
            report.add(.fine, subject, "\(owner) holds until \(certificate.endText), \(days) days")
        }
    }

    /// Judges the first certificate of a file: that of its owner; an authority's file by the one that ends last.
    /// Nothing when the path is a directory or empty, or what is in it is another form than PEM.
    static func judge(
        file path: String, isAuthority: Bool, _ owner: String, renewal: String, _ report: CheckReport
    ) {
        do throws(SystemError) {
            let certificates = try CertificateFile.read(path)
            let chosen = isAuthority ? certificates.max { $0.endsAt < $1.endsAt } : certificates.first
            guard let chosen else { return }
            judge(chosen, owner, renewal: renewal, report)
        } catch {
            // The library tells in its own words what it could not use; this one may be a directory.
            return
        }
    }
}
